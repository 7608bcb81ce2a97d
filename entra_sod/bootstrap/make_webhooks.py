"""What webhooks need: who may send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from entra_sod.core.clock import Clock, SystemClock
from entra_sod.domain.webhooks.source import Sources
from entra_sod.settings import read_webhook_sources

APP_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Needs no storage: a stranger is refused before anything of it is touched."""

    sources: Sources
    clock: Clock


def read_webhooks(environment: Mapping[str, str]) -> Webhooks:
    """Make what the environment asks for.

    Raises:
        ConfigurationError: naming each mistake in WEBHOOKS with its place.
    """
    return Webhooks(sources=read_webhook_sources(environment, APP_FOLDER), clock=SystemClock())
