"""One catalog with packages and policies, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from entra_sod.cli.operations.extensions.model import (
    REQUEST_EXTENSION,
    STAGE,
    Extension,
    LogicApp,
    PackagePolicies,
    Policy,
    StageSetting,
)
from entra_sod.cli.operations.extensions.plan import ExtensionPlan, plan_install, plan_remove
from entra_sod.cli.operations.extensions.read import read_catalog
from entra_sod.domain.entra import Catalog
from tests.builders import guid
from tests.cli.operations.extensions.memory import MemoryExtensions

CATALOG = Catalog(id=guid("c1"), display_name="Finance")
NAME = "entra-sod"
FOREIGN = Extension(
    id=guid("f1"), display_name="Mail", kind=REQUEST_EXTENSION, waits=False, logic_app=None
)
LOGIC_APP = LogicApp.parse(
    f"/subscriptions/{guid('5')}/resourceGroups/sod/providers/Microsoft.Logic/workflows/entra-sod"
)
STAGES = (
    STAGE,
    "assignmentRequestApproved",
    "assignmentRequestGranted",
    "AssignmentRequestCreated",
)


def setting(stage: str, extension_id: str | None = FOREIGN.id) -> StageSetting:
    extension = {"@odata.type": REQUEST_EXTENSION, "id": extension_id} if extension_id else None
    body = msgspec.json.encode({"customExtension": extension, "stage": stage}, order="sorted")
    return StageSetting(stage=stage, extension_id=extension_id, body=body)


def policy(name: str, package: str, *settings: StageSetting) -> Policy:
    rest = {"displayName": f"Policy {name}", "expiration": {"type": "noExpiration"}}
    return Policy(
        id=guid(name),
        display_name=f"Policy {name}",
        package_id=guid(package),
        settings=settings,
        shows_questions=True,
        rest=msgspec.json.encode(rest, order="sorted"),
    )


def catalog_of(*policies: Policy, extensions: Sequence[Extension] = (FOREIGN,)) -> MemoryExtensions:
    """A catalog whose packages are those of the policies."""
    packages = [
        PackagePolicies(
            id=package_id,
            display_name=f"Package {package_id[:2]}",
            policy_ids=tuple(each.id for each in policies if each.package_id == package_id),
        )
        for package_id in sorted({each.package_id for each in policies})
    ]
    return MemoryExtensions(CATALOG, packages, policies, extensions)


def ours(**changes: object) -> Extension:
    made = Extension(
        id=guid("0a"), display_name=NAME, kind=REQUEST_EXTENSION, waits=True, logic_app=LOGIC_APP
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def to_install(
    graph: MemoryExtensions, *named: str, logic_app: LogicApp | None = LOGIC_APP
) -> ExtensionPlan:
    ids = {guid(each) for each in named}
    seen = await read_catalog(graph, CATALOG, only=ids)
    return plan_install(seen, named=ids, name=NAME, logic_app=logic_app, wait_hours=24)


async def to_remove(graph: MemoryExtensions) -> ExtensionPlan:
    return plan_remove(await read_catalog(graph, CATALOG), name=NAME)
