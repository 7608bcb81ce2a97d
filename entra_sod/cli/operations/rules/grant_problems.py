"""Entries of `grants` that no access package grants, each with what was meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from entra_sod.core.names import cut
from entra_sod.core.validation import Mistake, Path, nearest
from entra_sod.domain.grants import Grant, GrantKind
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.grants import GrantIndex, fits, role_names
from entra_sod.domain.rules.language import Side
from entra_sod.domain.rules.parse import ParsedRules, SourceOrigin
from entra_sod.domain.rules.resolve import Tenant, placed_sides
from entra_sod.domain.text import fold

MAX_COMPARED = 2000  # names that a name is compared with, to find the nearest one
MAX_SUGGESTIONS = 100
_MAX_NAMED = 5
_MAX_SAID = 100  # characters of a name


def grant_problems(parsed: ParsedRules, tenant: Tenant | None) -> Iterator[RulesProblem]:
    """Warn of each entry that selects nothing, because rules may be ahead of the tenant."""
    index = tenant.grants if tenant else None
    if index is None:
        return
    suggestions = iter(range(MAX_SUGGESTIONS))
    for origin, path, selector in _entries(parsed):
        if not index.givers(selector):
            suggests = next(suggestions, None) is not None
            mistake = _mistake(index, selector, path, suggests=suggests)
            yield origin.place(mistake, is_warning=True)


def _entries(parsed: ParsedRules) -> Iterator[tuple[SourceOrigin, Path, GrantSelector]]:
    for name, side in parsed.classes.items():
        yield from _placed(parsed.origin("classes", name), (), side)
    for rule in parsed.rules.values():
        for path, side in placed_sides(rule):
            yield from _placed(parsed.origin("rules", rule.id), path, side)


def _placed(
    origin: SourceOrigin, path: Path, side: Side
) -> Iterator[tuple[SourceOrigin, Path, GrantSelector]]:
    for number, selector in enumerate(side.grants):
        yield origin, (*path, "grants", number), selector


def _mistake(index: GrantIndex, selector: GrantSelector, path: Path, *, suggests: bool) -> Mistake:
    field, value = selector.resource
    there = index.of_resource(selector)
    if not there:
        near = _near(value, _resource_names(index, field)) if suggests else ""
        detail = f"is granted by no access package that this identity may read{near}"
        return Mistake((*path, field), f"{cut(value, _MAX_SAID)} {detail}")
    if selector.role is not None and not any(_has_role(selector, each) for each in there):
        return Mistake((*path, "role"), _no_such_role(selector.role, there, suggests=suggests))
    if selector.scope is not None and not _is_there(selector, there):
        scopes = [each.resource for each in there]
        near = _near(selector.scope, scopes) if suggests else ""
        return Mistake((*path, "scope"), f"has no grant of {cut(value, _MAX_SAID)}{near}")
    return Mistake((*path, "kind") if selector.kind else path, _wrong_kind(selector, there))


def _has_role(selector: GrantSelector, grant: Grant) -> bool:
    return fold(selector.role or "") in role_names(grant)


def _is_there(selector: GrantSelector, there: Sequence[Grant]) -> bool:
    """Whether the scope is that of some grant, whatever its kind."""
    any_kind = msgspec.structs.replace(selector, kind=GrantKind.ANY)
    return any(fits(any_kind, each) for each in there)


def _no_such_role(role: str, there: Sequence[Grant], *, suggests: bool) -> str:
    names = sorted({each.role_name or each.role for each in there})
    named = ", ".join(cut(each, _MAX_SAID) for each in names[:_MAX_NAMED])
    more = len(names) - _MAX_NAMED
    listed = named + (f" and {more} more" if more > 0 else "")
    near = _near(role, names) if suggests else ""
    return (
        f"{cut(role, _MAX_SAID)} is granted by no access package{near}. Packages grant of it: "
        f"{listed}. Graph shows a role's display name and id, and not the value of an app role"
    )


def _wrong_kind(selector: GrantSelector, there: Sequence[Grant]) -> str:
    kinds = ", ".join(sorted({each.kind for each in there}))
    return f"is granted as {selector.wanted_kind} by no access package, but as {kinds}: give a kind"


def _resource_names(index: GrantIndex, field: str) -> Iterator[str]:
    for grant in index.resources(field):
        match field:
            case "azureRole":
                yield grant.role_name
            case "site":
                yield grant.resource
            case "app" | "directoryRole":
                yield grant.resource_name
            case _:  # one group's id is like any other's
                return


def _near(word: str, choices: Iterator[str] | Sequence[str]) -> str:
    known = {cut(each, _MAX_SAID) for each in islice(choices, MAX_COMPARED) if each}
    return nearest(cut(word, _MAX_SAID), sorted(known))
