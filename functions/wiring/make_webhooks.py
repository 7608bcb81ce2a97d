"""What webhooks need: who may send, and who knows the platform's callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.clock import Clock, SystemClock
from functions.settings import read_webhook_sources
from functions.webhooks.callers import Callers, Nobody
from functions.webhooks.source import Sources

APP_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Needs no storage: a stranger is refused before anything of it is touched."""

    sources: Sources
    callers: Callers
    clock: Clock


def read_webhooks(environment: Mapping[str, str]) -> Webhooks:
    """Make what the environment asks for.

    Raises:
        ConfigurationError: naming each mistake in WEBHOOKS with its place.
    """
    sources = read_webhook_sources(environment, APP_FOLDER)
    return Webhooks(sources=sources, callers=Nobody(), clock=SystemClock())
