"""Where rules files come from, as a port, and the book that keeps what was read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from entra_sod.core.clock import Clock
from entra_sod.core.errors import PERMANENT, ConfigurationError, RulesError, UnreadableItem
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.rules.resolve import (
    ResolvedRule,
    Resolver,
    Tenant,
    needs_grants,
    needs_tenant,
    resolve,
)
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import with_left
from entra_sod.ports.graph import Graph
from entra_sod.ports.rules import RuleSource
from entra_sod.services.rules.exception_subjects import BoundExceptions, ExceptionSubjects
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.stores.grants import GrantStore
from entra_sod.stores.selections import SelectionStore

log = logging.getLogger("entra_sod")

RULES_LIFETIME = timedelta(seconds=60)
LIST_LIFETIME = timedelta(minutes=10)
# Packages whose grants are read while a caller waits: 5 s at the usual rate.
MAX_GRANTS_READ_IN_CALL = 500


class CachedValue[T]:
    """A value with the moment it was read."""

    def __init__(self, value: T, at: datetime) -> None:
        self.value, self._at = value, at

    def is_fresh(self, now: datetime, lifetime: timedelta) -> bool:
        return now - self._at <= lifetime


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The rules and exceptions in force today, and those in force today or later.

    Attributes:
        as_written: those of today, without packages that left them and wait for an approval.
    """

    today: RuleSet
    from_today: RuleSet
    as_written: RuleSet


class RulesProvider:
    """The rules in force: read again after a minute, held against the tenant after ten.

    A package that a pattern does not fit any more stays in its rule until that is approved, where
    there is a store of what was reviewed.

    Attributes:
        problem: why the files as they lie there are not in force, though older rules are.
    """

    def __init__(
        self,
        source: RuleSource,
        graph: Graph,
        clock: Clock,
        selections: SelectionStore | None = None,
        grants: GrantStore | None = None,
        *,
        subjects: ExceptionSubjects | None = None,
    ) -> None:
        self._source, self._graph, self._clock = source, graph, clock
        self._selections = selections
        self._grants = TenantGrants(graph, clock, grants)
        self._subjects = subjects or ExceptionSubjects(SubjectResolver(users=graph))
        self._bound: CachedValue[BoundExceptions] | None = None
        self._parsed: CachedValue[ParsedRules] | None = None
        self._files: Sequence[SourceFile] = ()
        self._tenant: CachedValue[Tenant] | None = None
        self._granted: tuple[Tenant, Tenant] | None = None  # as listed, and with its grants
        self._rules: CachedValue[ActiveRules] | None = None
        self._unlisted: CachedValue[ActiveRules] | None = None
        self.problem: str | None = None

    @property
    def grants(self) -> TenantGrants:
        """What packages grant, as this process and others have read it."""
        return self._grants

    async def current(self) -> RuleSet:
        """Resolve the rules in force today.

        A broken version never replaces a good one: the good one stays, and `problem` says why.

        Raises:
            RulesError, ConfigurationError: no version was good since the process began.
            GraphError: patterns need the list of packages, and it could not be read.
        """
        return (await self._active(max_reads=None)).today

    async def at_hand(self) -> RuleSet:
        """Resolve the same for a caller who waits.

        What more than `MAX_GRANTS_READ_IN_CALL` packages grant is not read for it. They are gaps
        of the rules that select by grants, until a sweep or a check has read them.
        """
        return (await self._active(max_reads=MAX_GRANTS_READ_IN_CALL)).today

    async def as_written(self) -> RuleSet:
        """Resolve the same, without packages that left rules and wait for an approval."""
        return (await self._active(max_reads=MAX_GRANTS_READ_IN_CALL)).as_written

    async def parsed(self) -> ParsedRules:
        """Read the files, without resolving them in the tenant.

        Raises:
            RulesError, ConfigurationError: no version was good since the process began.
        """
        return await self._read(self._clock.now())

    async def exceptions(self) -> BoundExceptions:
        """Every exception of the files, whatever its time, with the ids of those it is for.

        Raises:
            RulesError, ConfigurationError: no version was good since the process began.
            Throttled, Unavailable: the directory cannot be asked now whom a name is.
        """
        return await self._bind(await self.parsed())

    async def from_today(self) -> RuleSet:
        """Resolve the rules in force today or later, for access that begins later.

        If Graph refuses the list of packages permanently, patterns select from the last list that
        was read, if there is one, and `unlisted` says why. A decision by such rules is never
        `allow`.

        Raises:
            RulesError, ConfigurationError: no version was good since the process began.
            Throttled, Unavailable: patterns need the list of packages, which cannot be read now.
        """
        now = self._clock.now()
        if self._unlisted is not None and self._unlisted.is_fresh(now, RULES_LIFETIME):
            return self._unlisted.value.from_today
        try:
            return (await self._active(max_reads=MAX_GRANTS_READ_IN_CALL)).from_today
        except PERMANENT as error:
            if self._parsed is None:
                raise
            tenant = self._last_tenant()
            parsed = self._parsed.value
            found = await self._resolve(parsed, tenant, now.date(), unlisted=str(error))
            self._unlisted = CachedValue(found, now)
            return found.from_today

    async def _active(self, *, max_reads: int | None) -> ActiveRules:
        """Resolve the rules; with `max_reads`, what packages grant may be known in part."""
        now = self._clock.now()
        is_enough = max_reads is not None or not self._is_limited
        if self._rules is None or not is_enough or not self._rules.is_fresh(now, RULES_LIFETIME):
            parsed = await self._read(now)
            tenant = await self._list(now) if needs_tenant(parsed) else None
            if tenant and needs_grants(parsed):
                tenant = await self._with_grants(tenant, max_reads)
            unlisted = tenant.unlisted if tenant else None
            found = await self._resolve(parsed, tenant, now.date(), unlisted=unlisted)
            self._rules = CachedValue(found, now)
        return self._rules.value

    async def _with_grants(self, tenant: Tenant, max_reads: int | None) -> Tenant:
        """The tenant with what its packages grant, which is read with its list."""
        if self._granted is None or self._granted[0] is not tenant or self._is_limited:
            grants = await self._grants.read(tenant.packages, max_reads=max_reads)
            self._granted = tenant, tenant.with_grants(grants)
        return self._granted[1]

    def _last_tenant(self) -> Tenant:
        """The tenant as it was read last; an empty one where it never was."""
        if self._granted:
            return self._granted[1]
        return self._tenant.value if self._tenant else Tenant(())

    @property
    def _is_limited(self) -> bool:
        """Whether packages were left out for a decision, which waits for no thousands of them."""
        grants = self._granted[1].grants if self._granted else None
        return grants is not None and grants.is_limited

    async def _resolve(
        self, parsed: ParsedRules, tenant: Tenant | None, day: date, *, unlisted: str | None = None
    ) -> ActiveRules:
        """Resolve parsed rules against a tenant, for a day and for all later days."""
        written = resolve(parsed, tenant, day, and_later=True)
        rules = await self._with_left(written)
        bound = await self._bind(parsed)
        exceptions = bound.until(day)
        rules_today = [each for each in rules if each.rule.holds_on(day)]
        exceptions_today = exceptions.on(day)
        make = partial(
            RuleSet,
            refused=self.problem,
            files=self._files,
            unlisted=unlisted,
            day=day,
            protected=Resolver(parsed, tenant).protected(),
            listed=tenant.packages if tenant else None,
            overrides=parsed.overrides.values(),
        )
        today = exceptions_today.into(partial(make, rules_today))
        is_kept = any(each.kept for each in rules_today)
        written_today = [each for each in written if each.rule.holds_on(day)]
        as_written = exceptions_today.into(partial(make, written_today)) if is_kept else today
        # Pairs are found once where nothing is to come.
        if (rules_today, exceptions_today) == (rules, exceptions):
            return ActiveRules(today, today, as_written)
        return ActiveRules(today, exceptions.into(partial(make, rules)), as_written)

    async def _bind(self, parsed: ParsedRules) -> BoundExceptions:
        """Resolve the subjects of exceptions, again with each new list of packages."""
        now = self._clock.now()
        written = list(parsed.exceptions.values())
        is_fresh = self._bound is not None and self._bound.is_fresh(now, LIST_LIFETIME)
        if self._bound is None or not is_fresh or self._bound.value.written != written:
            self._bound = CachedValue(await self._subjects.bind(written), now)
        return self._bound.value

    async def _with_left(self, rules: Sequence[ResolvedRule]) -> Sequence[ResolvedRule]:
        """The rules with the packages that patterns do not fit any more."""
        patterned = [each for each in rules if each.has_patterns]
        if self._selections is None or not patterned:
            return rules
        known = await self._selections.read(patterned)
        return [
            with_left(each, known[each.id].selection) if each.id in known else each
            for each in rules
        ]

    async def listed(self) -> Mapping[str, AccessPackage]:
        """Every package that the tenant's list shows, by id, as it was ten minutes ago or less.

        Raises:
            GraphError: the list could not be read.
        """
        return (await self._list(self._clock.now())).packages

    async def _read(self, now: datetime) -> ParsedRules:
        try:
            files = await self._source.files()
            parsed = parse_rules(files)
        except (RulesError, ConfigurationError) as error:
            if self._parsed is None:
                raise
            self.problem = str(error)
            log.error("older rules stay: %s", error, extra={"action": "rules_refused"})  # noqa: TRY400
            return self._parsed.value
        self.problem, self._parsed, self._files = None, CachedValue(parsed, now), tuple(files)
        return parsed

    async def _list(self, now: datetime) -> Tenant:
        if self._tenant is None or not self._tenant.is_fresh(now, LIST_LIFETIME):
            self._tenant = CachedValue(await read_tenant(self._graph), now)
        return self._tenant.value


async def read_tenant(graph: Graph, groups: Mapping[str, Group | None] | None = None) -> Tenant:
    """Read the tenant's list of packages; an item that is not understood is not on it.

    Raises:
        GraphError: the list could not be read.
    """
    try:
        return Tenant(await graph.packages(), groups)
    except UnreadableItem as error:
        return Tenant(error.partial, groups, unlisted=str(error))
