"""What each step of the story found out. In names: a person reads these, and expectations too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Reference(NamedTuple):
    """An entry on one package that keeps a group's members or a package's holders from it."""

    on: str
    kind: str
    target: str

    def __str__(self) -> str:
        return f"{self.kind} {self.target} on {self.on}"


class Pair(NamedTuple):
    """Two packages, the first one in alphabetical order first."""

    first: str
    second: str

    @classmethod
    def of(cls, one: str, other: str) -> "Pair":
        return cls(*sorted((one, other)))

    def __str__(self) -> str:
        return f"{self.first} × {self.second}"  # noqa: RUF001 - as people write it


class Holder(NamedTuple):
    person: str
    state: str


class Gap(NamedTuple):
    """What was not looked at, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSize:
    catalogs: int
    packages: int
    people: int
    assignments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The app on its host; `ready` is what it says of all that it needs."""

    enforcement: str
    address: str
    status: int
    ready: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """As the app reports them, each list in order."""

    present: tuple[Reference, ...] = ()
    planned: tuple[Reference, ...] = ()
    written: tuple[Reference, ...] = ()
    failed: tuple[Reference, ...] = ()
    held: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSeen:
    """The simulator's tenant, looked at behind the app's back.

    Attributes:
        has_changed: whether anything at all differs from the moment before the step.
        references: all there are, and how often each was added.
        holders_of_both: people by pair, as the tenant's own assignments have it.
    """

    has_changed: bool
    references: Mapping[Reference, int]
    holders_of_both: Mapping[Pair, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check by HTTP, from the first answer to the last.

    Attributes:
        reference: the ticket's number, as it came back.
        enforcement: how far the app went.
    """

    pair: Pair
    accepted: int
    location: str
    retry_after: str
    outcome: str
    reference: str | None
    enforcement: str
    holders: tuple[Holder, ...]
    holder_count: int
    rules: tuple[str, ...]
    references: References
    gaps: tuple[Gap, ...]
    tenant: TenantSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A new assignment that the help desk asked Graph for.

    Attributes:
        has_it: whether the person holds the wanted package now, by the tenant's own account.
        code: Graph's, where it refused.
        reason: Graph's, where it refused.
    """

    person: str
    holds: str | None
    wants: str
    status: int
    has_it: bool
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the app answered to a ticket that asks before access is granted.

    Attributes:
        against: packages that the person holds and that stand against the wanted one.
        has_it: whether the person holds the wanted package, by the tenant's own account.
        has_changed: whether anything in the tenant differs from before.
    """

    person: str
    wants: str
    reference: str | None
    status: int
    decision: str
    severity: str | None
    reasons: tuple[str, ...]
    advice: str | None
    against: tuple[str, ...]
    gaps: tuple[Gap, ...]
    has_it: bool
    has_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What became of an access request that waited for the Logic App's answer.

    Attributes:
        method, path, body: of the resume call that the workflow sent to Graph.
        wanted_path, wanted_body: of the documented one, for this request.
        status: Graph's answer to it.
        run: how the workflow's run ended.
        state: of the request afterwards.
        detail: the text that an approver reads.
    """

    person: str
    wants: str
    method: str
    path: str
    body: Mapping[str, object]
    wanted_path: str
    wanted_body: Mapping[str, object]
    status: int
    run: str
    state: str
    detail: str
    has_it: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptPair:
    pair: Pair
    outcome: str
    holder_count: int
    rules: tuple[str, ...]


class Passing(NamedTuple):
    """A package that passes a rule by, as the sweep names it.

    Attributes:
        kind: `toxic` where it meets the rule by itself, else `overlap`.
        holders: of a toxic one, how many people hold it.
        days: for how many days an override permits it.
    """

    package: str
    kind: str
    rule: str
    holders: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """Rules as code, by the command line: validated, planned, applied, and planned again.

    Attributes:
        validated: the exit code of `entra-sod validate`, and so on for the others.
        additions: what the first plan would add.
        told: what `apply` said of its writes.
        left_to_write: how many writes the second plan has.
    """

    validated: int
    planned: int
    additions: tuple[Reference, ...]
    applied: int
    told: str
    planned_again: int
    left_to_write: int
    tenant: TenantSeen


class Commanded(NamedTuple):
    """A command as it was typed at a terminal, its exit code, and what it printed."""

    command: str
    code: int
    said: str


class Granted(NamedTuple):
    """A group that the manager of a package has added to it."""

    package: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """References that a run wrote, taken back at the command line.

    Attributes:
        shown: what would be removed, and who gets access again.
        done: the removal itself.
    """

    shown: Commanded
    done: Commanded
    tenant: TenantSeen


class Drifted(NamedTuple):
    """A reference that a person removed or added by hand, as the sweep calls it."""

    kind: str
    reference: Reference


class Disturbed(NamedTuple):
    """What was done to the tenant behind the app's back."""

    removed: Reference
    added: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A sweep from its start to its end.

    Attributes:
        why_held: of each reference that is held, in the same order.
        stopped: why planned references were not written; empty where nothing stopped it.
    """

    status: str
    pairs: tuple[SweptPair, ...]
    references: References
    checked: int
    gaps: tuple[Gap, ...]
    requests: int
    tenant: TenantSeen
    drift: tuple[Drifted, ...] = ()
    why_held: tuple[str, ...] = ()
    stopped: str = ""
    passing: tuple[Passing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What the app answered to a body that is not what is asked for."""

    sent: Mapping[str, str]
    status: int
    media_type: str
    problem: Mapping[str, object]
    pointers: tuple[str, ...]
