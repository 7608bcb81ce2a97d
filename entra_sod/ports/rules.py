"""Where rules come from, as a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from entra_sod.domain.rules.document import SourceFile


class RuleSource(Protocol):
    async def files(self) -> Sequence[SourceFile]:
        """Read every rules file.

        Raises:
            ConfigurationError: the place is missing or holds no file.
            RulesError: a file cannot be read as text.
        """
        ...
