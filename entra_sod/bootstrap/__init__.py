"""Puts the parts together: the only place that knows which adapter stands behind which port.

Made on first use, once per process and inside its running loop, so that importing the app reads no
setting and loads nothing heavy. Storage is made apart from the rest: with a wrong Graph setting, a
failure can still be written where its owner sees it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from entra_sod.bootstrap.make_records import Records, read_records
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.logs import keep_requests_out_of_logs
from entra_sod.core.names import keep_one_line
from entra_sod.domain.webhooks.source import WebhookSources
from entra_sod.services.callers.admission import Admission
from entra_sod.settings import (
    NotificationSettings,
    read_caller_settings,
    read_notification_settings,
    read_webhook_sources,
)

if TYPE_CHECKING:
    from entra_sod.bootstrap.make_engine import Engine
    from entra_sod.services.doctor.run import DiagnosticContext

APP_FOLDER = Path(__file__).parent.parent.parent


class Assembly:
    """The parts of the app, each made of the environment when it is first asked for, and kept.

    Every one may raise a ConfigurationError that names what is wrong with its settings, but for the
    patient, of which that is part.
    """

    def __init__(self, environment: Mapping[str, str], parts: Mapping[str, object]) -> None:
        self._environment = environment
        vars(self).update(parts)

    @cached_property
    def clock(self) -> Clock:
        return SystemClock()

    @cached_property
    def records(self) -> Records:
        return read_records(self._environment, self.clock)

    @cached_property
    def engine(self) -> Engine:
        from entra_sod.bootstrap.make_engine import read_engine

        return read_engine(self._environment, self.records)

    @cached_property
    def delivery(self) -> NotificationSettings:
        """Where callbacks may go."""
        return read_notification_settings(self._environment)

    @cached_property
    def own_host(self) -> str:
        """The app's name as the platform says it, with a port if any; empty in a local world."""
        return self._environment.get("WEBSITE_HOSTNAME", "")

    @cached_property
    def admission(self) -> Admission:
        """Who is let in."""
        return Admission(read_caller_settings(self._environment), self.clock)

    @cached_property
    def sources(self) -> WebhookSources:
        """Who may send webhooks. Needs no storage: a stranger is refused before it is touched."""
        return read_webhook_sources(self._environment, APP_FOLDER)

    @cached_property
    def patient(self) -> DiagnosticContext:
        """The app as its doctor looks at it."""
        from entra_sod.bootstrap.make_doctor import read_diagnostic_context

        return read_diagnostic_context(self._environment, lambda: self.records.storage)


# When the app is imported, before a library could log its first request.
keep_requests_out_of_logs()
logging.getLogger("entra_sod").addFilter(keep_one_line)
app = Assembly(os.environ, {})


def install(
    records: Records | None = None,
    engine: Engine | None = None,
    delivery: NotificationSettings | None = None,
    *,
    admission: Admission | None = None,
    sources: WebhookSources | None = None,
    own_host: str | None = None,
    clock: Clock | None = None,
) -> None:
    """Use these parts from now on; without them, make them anew from the environment.

    For programs that bring their own, such as tests with the in-memory adapters.
    """
    global app  # noqa: PLW0603 - one for each process
    parts = {
        "records": records,
        "engine": engine,
        "delivery": delivery,
        "admission": admission,
        "sources": sources,
        "own_host": own_host,
        "clock": clock,
    }
    app = Assembly(os.environ, {name: part for name, part in parts.items() if part is not None})
