"""Where rules files come from, as a port, and the book that keeps what was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from functions.clock import Clock
from functions.rules.parse import SourceFile, parse_rules
from functions.rules.ruleset import RuleSet

READ_AGAIN_AFTER = timedelta(seconds=60)


class RuleSource(Protocol):
    async def files(self) -> Sequence[SourceFile]:
        """Read every rules file.

        Raises:
            ConfigurationError: the place is missing or holds no file.
        """
        ...


class RuleBook:
    """The rules in force, read again after a minute."""

    def __init__(self, source: RuleSource, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._rules: RuleSet | None = None
        self._read_at: datetime | None = None

    async def current(self) -> RuleSet:
        """The rules in force.

        Raises:
            RulesError: a file has mistakes; older rules are not used in its place.
        """
        now = self._clock.now()
        if self._rules is None or self._read_at is None or now - self._read_at > READ_AGAIN_AFTER:
            self._rules = None
            self._rules = RuleSet(parse_rules(await self._source.files()))
            self._read_at = now
        return self._rules
