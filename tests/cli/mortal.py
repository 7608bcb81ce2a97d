"""A process that dies at some step: from then on whatever it asks of Graph or storage raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Killed(BaseException):
    """No error that anything handles."""


class Life:
    """How many calls a process still makes."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def lived(self, target: Any) -> Any:
        """The same graph, storage, table or blobs, for as long as the process lives."""
        return _Mortal(self, target)

    def spend(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise Killed


class _Mortal:
    def __init__(self, life: Life, target: Any) -> None:
        self._life, self._target = life, target

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if name == "table":
            return lambda table: _Mortal(self._life, member(table))
        if name in ("blobs", "queues"):
            return _Mortal(self._life, member)
        return self._counted(member) if callable(member) else member

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._life.spend()
            return method(*arguments, **named)

        return call
