"""`python -m benchmarks.children.compile_rules TEAMS SIDE WAY`: rules and a tenant to references.

A team is a catalog of two sides of so many packages, each of which grants a group of its own, and
every other one a group of its side as well. A rule keeps the sides of a team apart, by patterns or
through classes in turn, and at one team in ten a second rule asks for the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from benchmarks.children.checkpoint import reach
from entra_sod.cli.operations.plan_document import compile_references
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Severity, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet

SIDES = ("Requester", "Approver")
TODAY = date(2026, 6, 1)


def main(teams: int, side: int, way: str) -> None:
    book, packages = a_book(teams), {each.id: each for each in a_tenant(teams, side)}
    reach("built")
    started = time.process_time()
    rules = RuleSet(resolve(book, Tenant(packages.values()), TODAY))
    found = compile_references(rules, packages)
    kept = list(found) if way == "list" else ()
    references = len(kept) or sum(1 for _ in found)
    seconds = time.process_time() - started
    reach("compiled", seconds=seconds, references=references, pairs=len(rules.constraints))


def a_tenant(teams: int, side: int) -> Iterator[AccessPackage]:
    for number in range(teams * 2 * side):
        team, place = divmod(number, 2 * side)
        which, within = divmod(place, side)
        own, shared = an_id("group", number), an_id("side", 2 * team + which)
        yield AccessPackage(
            id=an_id("package", number),
            display_name=f"{SIDES[which]} {within}",
            catalog_name=f"Team {team}",
            member_groups=frozenset([own, shared] if within % 2 else [own]),
        )


def a_book(teams: int) -> ParsedRules:
    book = ParsedRules()
    for team in range(teams):
        for side in SIDES:
            book.classes[f"{side} {team}"] = Side(packages=[_selector(team, side)])
        rules = [_rule(f"team-{team}", _by_class(team) if team % 2 else _by_pattern(team))]
        if team % 10 == 0:
            rules.append(_rule(f"again-{team}", _by_class(team)))
        book.rules.update({rule.id: rule for rule in rules})
    return book


def an_id(kind: str, number: int) -> str:
    """An id as scattered as Graph's, and the same in every run."""
    scattered = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128
    return str(UUID(int=scattered ^ sum(kind.encode())))


def _selector(team: int, side: str) -> PackageSelector:
    return PackageSelector(catalog=f"team {team}", name=f"{side} *")


def _by_pattern(team: int) -> list[Side]:
    return [Side(packages=[_selector(team, side)]) for side in SIDES]


def _by_class(team: int) -> list[Side]:
    return [Side(classes=[f"{side} {team}"]) for side in SIDES]


def _rule(rule_id: str, between: list[Side]) -> Rule:
    return Rule(
        id=rule_id,
        title="Requesters do not approve their own requests",
        severity=Severity.HIGH,
        owner="owner@example.com",
        mode=Mode.ENFORCE,
        between=between,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
