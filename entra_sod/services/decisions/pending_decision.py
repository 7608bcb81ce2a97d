"""One question, and what was read for it so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from entra_sod.domain.decisions.evaluate import AccessRequest
from entra_sod.domain.entra import Assignment
from entra_sod.domain.results.coverage import Checked, Coverage
from entra_sod.domain.rules.alike import AlikePackage, met_alike
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.toxic import ToxicPackages
from entra_sod.services.decisions.identify import SubjectIdentity
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.subjects.resolve import ResolvedSubject


# Compared by identity: the same may be asked twice.
@dataclass(slots=True, eq=False)
class PendingDecision:
    """A decision that is being made.

    Attributes:
        rules: in force at some time of the wanted access.
        alike: of wanted packages that no rule names, those that give what a rule's package gives.
        toxic: of wanted packages, those that meet a rule by themselves.
        against: packages that some rule holds against a wanted one.
        as_of: the time of the index that was read; None if only Graph was read.
        notes: what was read, and what could not be read.
        principal_name: of the subject, if the request names it so.
        identity: the subject of the id; None until a source was asked.
        has_unread: whether the subject may hold more than was read.
    """

    request: DecisionRequest
    wanted: AccessRequest
    rules: Sequence[ResolvedRule]
    against: frozenset[str]
    alike: Sequence[AlikePackage] = ()
    toxic: ToxicPackages = field(default_factory=dict)
    held: list[Assignment] = field(default_factory=list)
    notes: Coverage = field(default_factory=Coverage)
    as_of: datetime | None = None
    principal_name: str | None = None
    identity: SubjectIdentity | None = None
    has_unread: bool = False

    @property
    def subject_known(self) -> bool | None:
        """Whether a source contains the subject; None if that could not be read."""
        if any(each.is_held for each in self.held):
            return True
        return self.identity.known if self.identity else None

    @property
    def met_alike(self) -> list[AlikePackage]:
        """The overlapping packages that the subject would get against the rule's purpose."""
        held = [each.package_id for each in self.held if each.is_held and each.package_id]
        return list(met_alike(self.alike, {*held, *self.wanted.packages}))

    def add(self, page: Iterable[Assignment], how: str) -> None:
        for each in page:
            self.held.append(each)
            if each.is_held and each.package_id is None:
                what = f"which package assignment {each.id} is of"
                self.note_unread(what, "Graph does not say")
        self.note_checked(f"what {self.wanted.subject} holds", how)

    def note_checked(self, what: str, how: str) -> None:
        checked = Checked(what=what, how=how)
        if checked not in self.notes.checked:
            self.notes.checked.append(checked)

    def name(self, subject: ResolvedSubject) -> None:
        """Note the name by which the request gives the subject, and the source that resolved it."""
        self.principal_name = subject.principal_name
        if subject.source is not None:
            self.note_checked(f"which subject {self.request.subject} is", subject.source)

    def identify(self, identity: SubjectIdentity) -> None:
        """Note which subject the id belongs to, or why that is not known."""
        self.identity = identity
        who = f"who {self.wanted.subject} is"
        if identity.known is None:
            self.note_unread(who, identity.source)
        elif identity.known:
            self.note_checked(who, identity.source)

    def note_unread(self, what: str, why: object) -> None:
        """Note that the subject may hold more than is known."""
        self.has_unread = True
        self.note_gap(what, why)

    def note_gap(self, what: str, why: object) -> None:
        self.notes.skip(what, why)
