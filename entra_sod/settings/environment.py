"""Reading an environment: text to values, with everything that is wrong told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from entra_sod.core.errors import ConfigurationError

_MOST = 999_999_999


class EnvironmentReader:
    """Reads one environment and collects what is wrong with it.

    A value that is wrong is noted, and its default returned, so that the rest is read as well.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def parsed[T](self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError):
            self.complain(f"{name} must be {expected}.")
            return default

    def flag(self, name: str, *, default: bool) -> bool:
        words = {"true": True, "false": False}
        return self.parsed(name, default, lambda text: words[text.lower()], "true or false")

    def whole_number(
        self, name: str, *, default: int, least: int = 0, most: int = _MOST, unit: str = ""
    ) -> int:
        limits = f"{least} or more" if most == _MOST else f"from {least} to {most}"
        expected = f"a whole number{unit and f' of {unit}'}, {limits}"
        return self.parsed(name, default, lambda text: _whole_number(text, least, most), expected)

    def complain(self, problem: str) -> None:
        self._problems.append(problem)

    def finish(self) -> None:
        """Raise one ConfigurationError with all that is wrong, if anything is."""
        if self._problems:
            raise ConfigurationError(self._problems)


def _whole_number(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ValueError(text)
    return int(text)


def is_https(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and bool(parts.hostname)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's, by the names that the SDK sends a token to by http."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")
