"""Reading an environment: text to values, with everything that is wrong told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from entra_sod.core.errors import ConfigurationError

_MAX_NUMBER = 999_999_999


class EnvironmentReader:
    """Reads one environment and collects what is wrong with it.

    A value that is wrong is noted, and its default returned, so that the rest is read as well.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def parsed[T](self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError):
            self.add_problem(f"{name} must be {expected}.")
            return default

    def choice[T](self, name: str, choices: Mapping[str, T], default: str) -> T:
        """Read one of some words, in any case."""
        *others, last = choices
        expected = f"{', '.join(others)} or {last}"
        return self.parsed(name, choices[default], lambda text: choices[text.lower()], expected)

    def flag(self, name: str, *, default: bool) -> bool:
        return self.choice(name, {"true": True, "false": False}, str(default).lower())

    def whole_number(
        self,
        name: str,
        *,
        default: int,
        minimum: int = 0,
        maximum: int = _MAX_NUMBER,
        unit: str = "",
    ) -> int:
        limits = f"{minimum} or more" if maximum == _MAX_NUMBER else f"from {minimum} to {maximum}"
        expected = f"a whole number{unit and f' of {unit}'}, {limits}"
        return self.parsed(
            name, default, lambda text: _whole_number(text, minimum, maximum), expected
        )

    def add_problem(self, problem: str) -> None:
        self.problems.append(problem)


def collecting[T](
    read: Callable[[EnvironmentReader], T],
) -> Callable[[Mapping[str, str]], T]:
    """Read an environment, and raise one ConfigurationError with all that is wrong in it."""

    def read_whole(environment: Mapping[str, str]) -> T:
        reader = EnvironmentReader(environment)
        settings = read(reader)
        if reader.problems:
            raise ConfigurationError(reader.problems)
        return settings

    return read_whole


def _whole_number(text: str, minimum: int, maximum: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not minimum <= int(text) <= maximum:
        raise ValueError(text)
    return int(text)


def is_https(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and bool(parts.hostname)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's, by the names that the SDK sends a token to by http."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")
