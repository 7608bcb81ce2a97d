"""Where rules files come from, as a port, and the book that keeps what was read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from functions.clock import Clock
from functions.entra import AccessPackage
from functions.errors import ConfigurationError, RulesError
from functions.graph.port import Graph
from functions.rules.document import SourceFile
from functions.rules.parse import Book, parse_rules
from functions.rules.resolve import Tenant, needs_tenant, resolve
from functions.rules.ruleset import RuleSet

log = logging.getLogger("entra_sod")

READ_AGAIN_AFTER = timedelta(seconds=60)
LIST_AGAIN_AFTER = timedelta(minutes=10)


class RuleSource(Protocol):
    async def files(self) -> Sequence[SourceFile]:
        """Read every rules file.

        Raises:
            ConfigurationError: the place is missing or holds no file.
            RulesError: a file cannot be read as text.
        """
        ...


class Kept[T]:
    """A value with the moment it was read."""

    def __init__(self, value: T, at: datetime) -> None:
        self.value, self._at = value, at

    def is_fresh(self, now: datetime, lifetime: timedelta) -> bool:
        return now - self._at <= lifetime


class RuleBook:
    """The rules in force: read again after a minute, held against the tenant after ten.

    Attributes:
        problem: why the files as they lie there are not in force, though older rules are.
    """

    def __init__(self, source: RuleSource, graph: Graph, clock: Clock) -> None:
        self._source, self._graph, self._clock = source, graph, clock
        self._book: Kept[Book] | None = None
        self._files: Sequence[SourceFile] = ()
        self._tenant: Kept[Tenant] | None = None
        self._rules: Kept[RuleSet] | None = None
        self.problem: str | None = None

    async def current(self) -> RuleSet:
        """Resolve the rules in force today.

        A broken version never replaces a good one: the good one stays, and `problem` says why.

        Raises:
            RulesError, ConfigurationError: no version was good since the process began.
            GraphError: patterns need the list of packages, and it could not be read.
        """
        now = self._clock.now()
        if self._rules is None or not self._rules.is_fresh(now, READ_AGAIN_AFTER):
            book = await self._read(now)
            tenant = await self._list(now) if needs_tenant(book) else None
            day = now.date()
            exceptions = [each for each in book.exceptions.values() if each.holds_on(day)]
            rules = RuleSet(resolve(book, tenant, day), exceptions, self.problem, self._files)
            self._rules = Kept(rules, now)
        return self._rules.value

    async def listed(self) -> Collection[str]:
        """The ids of every package that the tenant's list shows, as it was ten minutes ago or less.

        Raises:
            GraphError: the list could not be read.
        """
        return (await self._list(self._clock.now())).packages.keys()

    async def packages(self) -> Collection[AccessPackage]:
        """Every package that the tenant's list shows, as it was ten minutes ago or less.

        Raises:
            GraphError: the list could not be read.
        """
        return (await self._list(self._clock.now())).packages.values()

    async def _read(self, now: datetime) -> Book:
        try:
            files = await self._source.files()
            book = parse_rules(files)
        except (RulesError, ConfigurationError) as error:
            if self._book is None:
                raise
            self.problem = str(error)
            log.error("older rules stay: %s", error, extra={"action": "rules_refused"})  # noqa: TRY400
            return self._book.value
        self.problem, self._book, self._files = None, Kept(book, now), tuple(files)
        return book

    async def _list(self, now: datetime) -> Tenant:
        if self._tenant is None or not self._tenant.is_fresh(now, LIST_AGAIN_AFTER):
            self._tenant = Kept(Tenant(await self._graph.packages()), now)
        return self._tenant.value
