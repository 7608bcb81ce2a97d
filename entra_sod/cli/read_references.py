"""Reads every reference of the packages that an identity may read, with names for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from entra_sod.cli.made_by import made_by
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.progress import counting
from entra_sod.cli.session import Session
from entra_sod.cli.state import read_state
from entra_sod.core.errors import Forbidden, GraphError
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.resolve import Tenant
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.provider import read_tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantReferences:
    """The references of a tenant, as far as an identity may read them.

    Attributes:
        tenant: the packages on the tenant's list.
        state: of these packages, and of those that were asked for besides.
        group_names: of groups that references are to, where they may be read.
        gaps: why there may be more references.
    """

    tenant: Tenant
    state: TenantState
    group_names: Mapping[str, str]
    gaps: tuple[Skipped, ...]

    def package(self, package_id: str) -> AccessPackage | None:
        """Return a package with its name; its catalog is known if the list has it."""
        return self.tenant.packages.get(package_id) or self.state.packages.get(package_id)

    def name(self, target: str, kind: ReferenceKind = ReferenceKind.PACKAGE) -> str:
        """Return the name of a package or group; empty where it is not known."""
        if kind is ReferenceKind.GROUP:
            return self.group_names.get(target, "")
        package = self.package(target)
        return package.display_name if package else ""


async def read_references(session: Session, more: Collection[str] = ()) -> TenantReferences:
    """Read the references on every package of the tenant's list; reads only.

    Args:
        session: to read with.
        more: ids of packages that need not be on the list.

    Raises:
        GraphError: the list could not be read, or Graph asks for a longer wait.
    """
    tenant = await read_tenant(session.graph)
    view = tenant.packages.keys() | set(more)
    with counting("reading references", len(view)) as advance:
        state = await read_state(session.graph, view, with_holders=False, advance=advance)
    who = "" if tenant.packages else await made_by(session)
    return TenantReferences(
        tenant=tenant,
        state=state,
        group_names=await read_group_names(session.graph, state.present),
        gaps=(*unlisted(tenant, who), *_unread(tenant, state)),
    )


def unlisted(tenant: Tenant, who: str) -> Iterator[Skipped]:
    """Say why there may be more packages than the tenant's list has.

    Args:
        tenant: as it was read.
        who: the identity that read it.
    """
    what = "the list of access packages"
    if tenant.unlisted:
        yield Skipped(what=what, why=tenant.unlisted, reason=Reason.UNREADABLE_ITEM)
    if not tenant.packages:
        why = (
            f"it has no access package that {who} may read. Graph leaves out the catalogs on which "
            "an identity has no role. Fix: give it Catalog reader (to plan) or Access package "
            "manager (to write) on the catalogs, for an app by `entra-sod grant --catalogs NAME "
            "--app OBJECT-ID`"
        )
        yield Skipped(what=what, why=why, reason=Reason.MISSING_ROLE)


def _unread(tenant: Tenant, state: TenantState) -> Iterator[Skipped]:
    yield from (
        Skipped.of(f"access package {key}", why) for key, why in sorted(state.errors.items())
    )
    for each in sorted(state.gone & tenant.packages.keys()):
        why = "it was deleted since the list was read"
        yield Skipped(what=f"access package {each}", why=why, reason=Reason.NO_SUCH_THING)
    yield from state.gaps


async def read_group_names(graph: Graph, references: Iterable[Reference]) -> Mapping[str, str]:
    """Read the names of groups; a role of entitlement management does not show them."""
    groups = sorted({each.target for each in references if each.kind is ReferenceKind.GROUP})
    names: dict[str, str] = {}
    refused: list[Forbidden] = []

    async def look(group_id: str) -> None:
        if refused:
            return
        try:
            names[group_id] = (await graph.group(group_id)).display_name
        except Forbidden as error:
            refused.append(error)
        except GraphError:
            return  # it may be deleted, and a name is no more than a help

    await in_parallel(look, groups)
    return names
