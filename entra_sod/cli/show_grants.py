"""Who grants what, as a list: each package, and below it what it grants. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from entra_sod.cli.lists import PrintedList
from entra_sod.cli.operations.package_grants import GrantRow, as_builtins
from entra_sod.core.names import visible
from entra_sod.domain.grants import Grant, GrantKind, OriginSystem
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.short_ids import short_ids
from entra_sod.domain.text import counted

_VALUES = (
    "accessPackageId",
    "accessPackage",
    "originSystem",
    "resourceId",
    "resource",
    "roleId",
    "role",
    "kind",
    "rules",
)
COLUMNS = ("grant", *_VALUES)
_ON_TERMINAL = frozenset({"grant", "resourceId", "rules"})


def grants_list(
    rows: Sequence[GrantRow], gaps: Sequence[Skipped], *, whole_ids: bool
) -> PrintedList:
    """Make the list: a terminal shows each package once, with its grants and their ids below."""
    ids = [row.package.id for row in rows]
    short = dict(zip(ids, ids, strict=True)) if whole_ids else short_ids(ids)
    return PrintedList(
        key="grants",
        columns=COLUMNS,
        rows=[
            (_told(row.grant), *_cells(value))
            for row, value in zip(rows, as_builtins(rows), strict=True)
        ],
        ids=frozenset({"accessPackageId", "resourceId", "roleId"}),
        below={"grant": "resourceId"},
        piped=frozenset(COLUMNS) - _ON_TERMINAL,
        heads=[
            (visible(row.package.display_name or "(no name)"), short[row.package.id])
            for row in rows
        ],
        whole_ids=whole_ids,
        empty="no grant fits",
        not_read=gaps,
    )


def summed_up(rows: Sequence[GrantRow]) -> str:
    """Say how many grants there are."""
    packages = len({row.package.id for row in rows})
    return f"{counted(len(rows), 'grant')} of {counted(packages, 'access package')}"


def _told(grant: Grant) -> str:
    name = grant.resource_name or "(name not shown)"
    role = grant.role_name or grant.role
    eligible = ", eligible" if grant.kind is GrantKind.ELIGIBLE else ""
    match grant.system:
        case OriginSystem.GROUP:
            return f"{role} of group {name}"
        case OriginSystem.APP:
            return f"role {role} of app {name}"
        case OriginSystem.SITE:
            return f"role {role} of site {name}"
        case OriginSystem.DIRECTORY_ROLE:
            return f"directory role {name}{eligible}"
        case OriginSystem.AZURE:
            return f"Azure role {role} on {name}{eligible}"
        case _:
            return f"role {role} of {name} ({grant.system})"


def _cells(row: dict[str, object]) -> Sequence[str]:
    rules = row["rules"]
    told = {**row, "rules": " ".join(rules) if isinstance(rules, list) else ""}
    return ["" if told[name] is None else str(told[name]) for name in _VALUES]
