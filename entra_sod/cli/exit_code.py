"""What a command's exit code says, the same for every command that looks at a tenant."""

from __future__ import annotations

from collections.abc import Sized
from enum import IntEnum


class ExitCode(IntEnum):
    """For CI: nothing found, an error, something found, not everything could be looked at."""

    NOTHING = 0
    ERROR = 1
    CHANGES = 2
    UNKNOWN = 3

    @classmethod
    def of(cls, found: Sized, not_read: Sized) -> ExitCode:
        """What was not read wins over what was found."""
        if not_read:
            return cls.UNKNOWN
        return cls.CHANGES if found else cls.NOTHING
