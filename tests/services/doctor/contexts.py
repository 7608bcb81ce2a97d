"""Patients that are well, in memory, and what of a diagnosis a test compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import CatalogRole, RoleAssignment, TokenPrincipal
from entra_sod.services.doctor.diagnosis import Diagnosis, DiagnosisResult
from entra_sod.services.doctor.run import DiagnosticContext
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import read_settings
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.roles import MemoryRoles
from local.memory.storage import MemoryStorage
from tests.app import RulesInMemory
from tests.builders import guid, package, rule, side

APP, FINANCE = guid("1"), guid("c1")
RULES = [rule("r", side("a"), side("b"))]


class WellPatient:
    """An app that writes references and lacks nothing; a test takes one thing away."""

    def __init__(self, **settings: str) -> None:
        self.clock, self.storage = ManualClock(), MemoryStorage()
        packages = [
            replace(package(name), catalog_id=FINANCE, catalog_name="Finance") for name in "ab"
        ]
        self.graph = MemoryGraph(packages, {})
        held = RoleAssignment(
            principal_id=APP, role_id=CatalogRole.PACKAGE_MANAGER, catalog_id=FINANCE
        )
        catalogs = [Catalog(id=FINANCE, display_name="Finance")]
        self.roles = MemoryRoles(catalogs, [held], TokenPrincipal(principal_id=APP))
        self.rules = RulesInMemory(RULES)
        self.book = RulesProvider(self.rules, self.graph, self.clock)
        self.settings = read_settings({"ENFORCEMENT": "apply", **settings})

    @property
    def patient(self) -> DiagnosticContext:
        return DiagnosticContext(
            clock=self.clock,
            settings=self.settings,
            storage=self.storage,
            graph=self.graph,
            roles=self.roles,
            rules=self.book,
        )


def wrong(diagnoses: Sequence[Diagnosis]) -> list[str]:
    return [each.what for each in diagnoses if each.result is DiagnosisResult.WRONG]


def of(diagnoses: Sequence[Diagnosis], result: DiagnosisResult) -> list[str]:
    return [each.what for each in diagnoses if each.result is result]
