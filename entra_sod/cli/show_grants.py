"""Who grants what, as lines: the same on a terminal and in a pipe, and never cut. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from entra_sod.cli.operations.package_grants import GrantRow, as_builtins
from entra_sod.core.names import visible
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.grants import Grant, GrantKind, OriginSystem

_COLUMNS = (
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


def grants_lines(rows: Sequence[GrantRow]) -> Iterator[str]:
    """Each package with what it grants: the grant, then ids and rules, so that 80 columns do."""
    for package, grants in groupby(rows, key=lambda row: row.package):
        yield visible(f"{package.display_name or '(no name)'} ({package.id})")
        for row in grants:
            yield visible(f"  {_told(row.grant)}")
            yield from (visible(f"    {each}") for each in _ids(row.grant))
            if row.rules:
                yield visible(f"    selected by {', '.join(row.rules)}")
    packages = len({row.package.id for row in rows})
    yield f"{_counted(len(rows), 'grant')} of {_counted(packages, 'access package')}"


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


def _ids(grant: Grant) -> Iterator[str]:
    yield grant.resource
    if grant.system in (OriginSystem.APP, OriginSystem.AZURE):
        yield f"role {grant.role}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def grants_csv(rows: Iterable[GrantRow]) -> bytes:
    """The same as a table, a line for each grant."""
    return csv_table(_COLUMNS, (_cells(each) for each in as_builtins(rows)))


def _cells(row: dict[str, object]) -> Sequence[str]:
    rules = row["rules"]
    told = {**row, "rules": " ".join(rules) if isinstance(rules, list) else ""}
    return ["" if told[name] is None else str(told[name]) for name in _COLUMNS]
