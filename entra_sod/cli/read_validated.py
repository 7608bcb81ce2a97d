"""Reads of a tenant what `entra-sod validate` holds rules against; `--offline` needs none of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from entra_sod.cli.operations.rules.lint import named_groups
from entra_sod.cli.session import open_graph, say_who_asks
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import Forbidden, NotFound
from entra_sod.domain.enforcement.without_effect import wants_groups_only
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Tenant, needs_grants, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.alike import (
    AlikeReading,
    GrantsOfGraph,
    granting,
    read_alike,
    read_grants,
)
from entra_sod.services.rules.exception_subjects import BoundExceptions, ExceptionSubjects
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.rules.provider import read_tenant
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.settings import read_settings


async def read_validated_tenant(
    environment: Mapping[str, str], parsed: ParsedRules, day: date
) -> tuple[Tenant, AlikeReading, BoundExceptions]:
    """Read every package, and of the others what the rules and their exceptions need.

    Raises:
        GraphError, ConfigurationError: it cannot be read.
    """
    graph = open_graph(environment, read_settings(environment).graph)
    try:
        await say_who_asks(graph)
        tenant = await read_tenant(graph, await _read_groups(graph, named_groups(parsed)))
        if parsed.problems:
            return tenant, AlikeReading(), BoundExceptions()
        subjects = ExceptionSubjects(SubjectResolver(users=graph))
        exceptions = await subjects.bind(
            [each for each in parsed.exceptions.values() if each.end >= day]
        )
        if needs_grants(parsed):
            grants = TenantGrants(graph, SystemClock())
            tenant = tenant.with_grants(await grants.read(tenant.packages))
        known = await _read_granting(graph, parsed, tenant, day)
        alike = await read_alike(GrantsOfGraph(graph), RuleSet(resolve(parsed, tenant, day)), known)
        fit = await _without_unfit_groups(graph, known)
        return tenant.with_granting(fit), alike, exceptions
    finally:
        await graph.close()


async def _read_granting(
    graph: Graph, parsed: ParsedRules, tenant: Tenant, day: date
) -> Mapping[str, AccessPackage]:
    """Read what packages grant, where rules ask for references to groups and to nothing else."""
    rules = filter(wants_groups_only, resolve(parsed, tenant, day, and_later=True))
    wanted = {each for rule in rules for side in rule.sides for each in side.packages}
    return {each.id: each for each in granting(await read_grants(graph, wanted))}


async def _without_unfit_groups(
    graph: Graph, packages: Mapping[str, AccessPackage]
) -> Mapping[str, AccessPackage]:
    """Leave out groups that cannot be held against a package, where groups may be looked up."""
    granted = {group for each in packages.values() for group in each.member_groups}
    looked_up = await _read_groups(graph, granted)
    unfit = {key for key, group in looked_up.items() if group and not group.is_security_enabled}
    return {
        key: replace(each, member_groups=each.member_groups - unfit)
        for key, each in packages.items()
    }


async def _read_groups(graph: Graph, group_ids: Iterable[str]) -> dict[str, Group | None]:
    """Look groups up; none where the identity may not read the directory, which is usual."""
    found: dict[str, Group | None] = {}
    for group_id in sorted(group_ids):
        try:
            found[group_id] = await graph.group(group_id)
        except NotFound:
            found[group_id] = None
        except Forbidden:
            return {}
    return found
