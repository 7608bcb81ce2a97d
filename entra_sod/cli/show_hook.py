"""Hook plans for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.console import Group, RenderableType

from entra_sod.cli.lists import AsList, PrintedList
from entra_sod.cli.operations.extensions.model import STAGE, Policy
from entra_sod.cli.operations.extensions.plan import ExtensionPlan
from entra_sod.cli.terminal import line, shown


def hook_table(plan: ExtensionPlan) -> RenderableType:
    """Everything a hook plan says, for a terminal."""
    parts: list[RenderableType] = [line(headline(plan), style="bold")]
    if plan.create:
        waits = f"waits {plan.create.wait_hours} h"
        parts.append(line(f"+ extension {plan.name}, {waits}", "green"))
        parts.append(line(f"    calls {plan.create.logic_app.resource_id}", "green"))
    if plan.attach or plan.detach:
        parts.append(AsList(_policies(plan)))
    if plan.is_deleted:
        parts.append(line(f"- extension {plan.name}", "red"))
    parts += [line(f"left as it is: {gap.what}: {gap.why}", "yellow") for gap in plan.gaps]
    return Group(*parts)


def headline(plan: ExtensionPlan) -> str:
    if plan.is_empty:
        return f"nothing to do in {plan.catalog.display_name}; {plan.kept} policies call it already"
    return (
        f"{plan.catalog.display_name}: {len(plan.attach)} policies to attach, "
        f"{len(plan.detach)} to detach, {plan.kept} as they should be"
    )


def hook_json(plan: ExtensionPlan) -> str:
    """The plan without what policies say beside their stage settings."""
    view = {
        "catalog": {"id": plan.catalog.id, "displayName": plan.catalog.display_name},
        "extension": plan.extension.id if plan.extension else None,
        "name": plan.name,
        "create": plan.create.logic_app.resource_id if plan.create else None,
        "attach": [_view(each) for each in plan.attach],
        "detach": [_view(each) for each in plan.detach],
        "delete": plan.is_deleted,
        "kept": plan.kept,
        "gaps": [{"what": gap.what, "why": gap.why} for gap in plan.gaps],
    }
    return msgspec.json.format(msgspec.json.encode(view)).decode() + "\n"


def _view(policy: Policy) -> dict[str, str]:
    return {
        "policyId": policy.id,
        "displayName": policy.display_name,
        "accessPackageId": policy.package_id,
    }


def _policies(plan: ExtensionPlan) -> PrintedList:
    rows = [
        (
            shown(each.display_name),
            f"{sign} {plan.name}",
            ", ".join(_others(each, plan)) or "nothing else",
            each.id,
            each.package_id,
        )
        for sign, policies in (("+", plan.attach), ("-", plan.detach))
        for each in policies
    ]
    return PrintedList(
        key="policies",
        columns=("policy", f"at {STAGE}", "stays", "policy id", "package id"),
        rows=rows,
        ids=frozenset({"policy id", "package id"}),
        below={"policy": "policy id"},
    )


def _others(policy: Policy, plan: ExtensionPlan) -> Iterator[str]:
    ours = plan.extension.id if plan.extension else None
    for each in policy.settings:
        if each.extension_id != ours:
            yield f"{each.stage} ({each.extension_id})"
