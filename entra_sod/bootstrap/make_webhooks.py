"""What webhooks need: who may send, and who knows the platform's callers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from entra_sod.core.clock import Clock, SystemClock
from entra_sod.domain.callers.caller import Role
from entra_sod.domain.webhooks.callers import Callers
from entra_sod.domain.webhooks.source import Sources
from entra_sod.services.callers.admission import Admission
from entra_sod.settings import read_caller_settings, read_webhook_sources

APP_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Those whom Entra signed in before the app; a key of the app's own is not meant here."""

    admission: Admission

    def may(self, headers: Mapping[str, str], roles: Collection[str]) -> bool:
        caller = self.admission.principal(headers)
        return caller is not None and caller.may([Role(each) for each in roles])

    def name(self, headers: Mapping[str, str]) -> str:
        caller = self.admission.principal(headers)
        return caller.name if caller else ""


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
    clock = SystemClock()
    admission = Admission(read_caller_settings(environment), clock)
    return Webhooks(sources=sources, callers=SignedIn(admission), clock=clock)
