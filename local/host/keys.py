"""Keys of the HTTP ways in: function level wants any of them, admin level the master key."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

FUNCTION_KEY = "LOCAL_HOST_FUNCTION_KEY"
MASTER_KEY = "LOCAL_HOST_MASTER_KEY"
CALLER_KEYS, ANYONE = "CALLER_KEYS", "anyone"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of this host."""

    function: str
    master: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The keys that the settings give, random ones where they give none."""
        return cls(
            function=environment.get(FUNCTION_KEY) or secrets.token_urlsafe(32),
            master=environment.get(MASTER_KEY) or secrets.token_urlsafe(32),
        )

    def open(self, auth_level: str, presented: str) -> bool:
        """Whether a key opens a function of that level; the master key opens them all."""
        level = auth_level.lower()
        if level == "anonymous" or _same(self.master, presented):
            return True
        return level == "function" and _same(self.function, presented)

    def setting(self) -> str:
        """The same keys as a value of the app's own `CALLER_KEYS`."""
        keys = {"local-host": self.function, "local-master": self.master}
        return " ".join(
            f"{name}:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in keys.items()
        )


def _same(key: str, presented: str) -> bool:
    return hmac.compare_digest(key.encode(), presented.encode())
