"""Puts the parts together: the only place that knows which adapter stands behind which port.

Made on first use, once per process and inside its running loop, so that importing the app reads no
setting and loads nothing heavy. Storage is made apart from the rest: with a wrong Graph setting, a
failure can still be written where its owner sees it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entra_sod.bootstrap.make_records import Records, read_records
from entra_sod.bootstrap.make_webhooks import Webhooks, read_webhooks
from entra_sod.core.clock import SystemClock
from entra_sod.services.callers.admission import Admission
from entra_sod.settings import DeliverySettings, read_caller_settings, read_delivery_settings

if TYPE_CHECKING:
    from entra_sod.bootstrap.make_engine import Engine
    from entra_sod.services.doctor.probe import Patient


@dataclass(slots=True)
class _Installed:
    records: Records | None = None
    engine: Engine | None = None
    delivery: DeliverySettings | None = None
    admission: Admission | None = None
    webhooks: Webhooks | None = None
    patient: Patient | None = None


_installed = _Installed()


def install(
    records: Records | None = None,
    engine: Engine | None = None,
    delivery: DeliverySettings | None = None,
    *,
    admission: Admission | None = None,
    webhooks: Webhooks | None = None,
    patient: Patient | None = None,
) -> None:
    """Use these parts from now on; without them, make them anew from the environment.

    For programs that bring their own, such as tests with the in-memory adapters.
    """
    _installed.records, _installed.engine = records, engine
    _installed.delivery, _installed.admission = delivery, admission
    _installed.webhooks = webhooks
    _installed.patient = patient


def records() -> Records:
    """Return the process's records.

    Raises:
        ConfigurationError: naming what is wrong with the storage settings.
    """
    if _installed.records is None:
        _installed.records = read_records(os.environ)
    return _installed.records


def engine() -> Engine:
    """Return the process's engine.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    if _installed.engine is None:
        from entra_sod.bootstrap.make_engine import read_engine

        _installed.engine = read_engine(os.environ, records())
    return _installed.engine


def delivery_settings() -> DeliverySettings:
    """Return where callbacks may go.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    if _installed.delivery is None:
        _installed.delivery = read_delivery_settings(os.environ)
    return _installed.delivery


def admission() -> Admission:
    """Return who is let in.

    Raises:
        ConfigurationError: naming what is wrong with it.
    """
    if _installed.admission is None:
        settings = read_caller_settings(os.environ)
        _installed.admission = Admission(settings, SystemClock())
    return _installed.admission


def webhooks() -> Webhooks:
    """Return who may send webhooks.

    Raises:
        ConfigurationError: naming each mistake in WEBHOOKS with its place.
    """
    if _installed.webhooks is None:
        _installed.webhooks = read_webhooks(os.environ)
    return _installed.webhooks


def patient() -> Patient:
    """Return the app as its doctor looks at it; wrong settings are part of that."""
    if _installed.patient is None:
        from entra_sod.bootstrap.make_doctor import read_patient

        _installed.patient = read_patient(os.environ, lambda: records().storage)
    return _installed.patient
