"""The app as its doctor looks at it: whatever can be made, and why the rest cannot.

Graph is asked past the rate that all instances share: the rate lies in storage, and a fault of
storage would look like one of Graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.roles import RolesClient
from entra_sod.bootstrap import APP_FOLDER
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import ConfigurationError
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.run import DiagnosticContext
from entra_sod.services.rules.exception_subjects import ExceptionSubjects
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.settings import GraphSettings, read_settings
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from entra_sod.stores.rule_files import rule_source
from entra_sod.stores.selections import SelectionStore

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def read_diagnostic_context(
    environment: Mapping[str, str],
    open_storage: Callable[[], Storage],
    ask_as: Callable[[GraphSettings], AsyncTokenCredential | None] = lambda _: None,
) -> DiagnosticContext:
    """Make the patient that the environment asks for; wrong settings are part of it.

    Args:
        environment: the settings.
        open_storage: makes the app's storage, or raises a ConfigurationError.
        ask_as: makes another credential than the settings name, or none; or raises a
            ConfigurationError.
    """
    problems: list[str] = []
    clock = SystemClock()
    settings = _made(lambda: read_settings(environment), problems)
    storage = _made(open_storage, problems)
    asked = settings.graph if settings else None
    # Each client closes its own.
    asking = _made(lambda: (ask_as(asked), ask_as(asked)), problems) if asked else None
    if settings is None or asking is None:
        return DiagnosticContext(clock=clock, problems=problems, storage=storage)
    graph = GraphClient(settings.graph, credential=asking[0])
    rules = None
    if storage is not None:
        source = rule_source(settings.rules, app_folder=APP_FOLDER, blobs=storage.blobs)
        selections = SelectionStore(storage, clock) if settings.holds_selection_changes else None
        remembered = ExceptionSubjectStore(storage, clock)
        subjects = ExceptionSubjects(SubjectResolver(users=graph), remembered, remembers=False)
        rules = RulesProvider(source, graph, clock, selections, subjects=subjects)
    return DiagnosticContext(
        clock=clock,
        problems=problems,
        settings=settings,
        storage=storage,
        graph=graph,
        roles=RolesClient(settings.graph, credential=asking[1]),
        rules=rules,
    )


def _made[T](make: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return make()
    except ConfigurationError as error:
        problems += [each for each in error.problems if each not in problems]
        return None
