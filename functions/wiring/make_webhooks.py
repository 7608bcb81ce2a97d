"""What webhooks need: who may send, and who knows the platform's callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.settings import read_webhook_sources
from functions.webhooks.callers import Callers, Nobody
from functions.webhooks.source import Sources

APP_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    sources: Sources
    callers: Callers


def read_webhooks(environment: Mapping[str, str]) -> Webhooks:
    """Make what the environment asks for.

    Raises:
        ConfigurationError: naming each mistake in WEBHOOKS with its place.
    """
    return Webhooks(sources=read_webhook_sources(environment, APP_FOLDER), callers=Nobody())
