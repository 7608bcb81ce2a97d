"""What the doctor makes of what Graph gave. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from entra_sod.core.errors import PERMANENT, Forbidden, SodError, Unlicensed
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.roles.model import (
    COUNT_MEMBERS,
    COUNTING,
    READ_WRITE_ALL,
    CatalogRole,
    RoleAssignment,
    TokenPrincipal,
)
from entra_sod.services.doctor.diagnosis import Diagnosis, note, ok, unknown, wrong
from entra_sod.services.doctor.probe_results import CatalogProbe, GraphProbe

MAX_CLOCK_SKEW = timedelta(seconds=5)
_MAX_NAMED = 5


def evaluate_graph(seen: GraphProbe, enforcement: Enforcement) -> Iterator[Diagnosis]:
    """Token, clock, licence, packages, and each catalog of the rules."""
    if isinstance(seen.caller, SodError):
        yield wrong("Graph: token", seen.caller, _NOBODY)
        return
    yield ok("Graph: token", f"for {seen.caller.principal_id or 'an identity that it hides'}")
    if seen.skew is not None:
        yield _clock(seen.skew)
    if isinstance(seen.packages, Unlicensed):
        yield wrong("Graph: licence", seen.packages, _NO_LICENCE)
        return
    if isinstance(seen.packages, SodError):
        yield _refused("Graph: access packages", seen.packages)
        return
    yield ok("Graph: access packages", f"{seen.packages} may be read")
    yield from _unlisted(seen)
    for catalog in seen.catalogs:
        yield from _catalog(catalog, seen, enforcement)
    yield from _additional_access(seen)
    yield _members(seen.caller)


_NOBODY = (
    "In Azure: switch the managed identity on and set AZURE_CLIENT_ID to its client id. On a "
    "laptop: az login, and GRAPH_CREDENTIAL=default."
)
_NO_LICENCE = (
    "A licence for Microsoft Entra ID Governance, or Entra ID P2, is needed; no role mends this."
)


def _clock(skew: timedelta) -> Diagnosis:
    words = f"{skew.total_seconds():+.0f} s to Graph's"
    if abs(skew) <= MAX_CLOCK_SKEW:
        return ok("clock", words)
    return wrong(
        "clock",
        words,
        "Set the machine's clock: the rate that all instances share, signatures and tokens go by "
        "it.",
    )


def _refused(what: str, error: SodError) -> Diagnosis:
    """A refusal is an error. Without an answer the permission is not known."""
    if isinstance(error, Forbidden):
        return wrong(
            what,
            error,
            f"Give the app's identity {CatalogRole.CATALOG_READER.portal_name} or "
            f"{CatalogRole.PACKAGE_MANAGER.portal_name} on each catalog: entra-sod grant.",
        )
    advice = "Ask again; when it lasts, see GRAPH_ROOT, GRAPH_CLOUD and the network."
    return wrong(what, error, advice)


def _unlisted(seen: GraphProbe) -> Iterator[Diagnosis]:
    if seen.unlisted:
        named = ", ".join(seen.unlisted[:_MAX_NAMED])
        more = len(seen.unlisted) - _MAX_NAMED
        yield wrong(
            "Graph: packages of the rules",
            f"{len(seen.unlisted)} may not be read, or are gone: {named}"
            + (f" and {more} more" if more > 0 else ""),
            f"Give the app's identity {CatalogRole.CATALOG_READER.portal_name} on their catalog "
            "(entra-sod grant), or correct the ids.",
        )


def _catalog(
    catalog: CatalogProbe, seen: GraphProbe, enforcement: Enforcement
) -> Iterator[Diagnosis]:
    what = f"catalog {catalog.name}"
    failed = {each: error for each, error in catalog.permissions.items() if error}
    for right, error in failed.items():
        yield _refused(f"{what}: {right}", error)
    if not failed:
        yield ok(f"{what}: read", ", ".join(catalog.permissions))
    yield _writable(f"{what}: write", catalog, seen, enforcement)


def _writable(
    what: str, catalog: CatalogProbe, seen: GraphProbe, enforcement: Enforcement
) -> Diagnosis:
    """By the roles that Graph lists; no write is tried, for it would be one."""
    writes = enforcement is Enforcement.APPLY
    if isinstance(seen.roles, SodError) or seen.roles is None or isinstance(seen.caller, SodError):
        why = f": {seen.roles}" if isinstance(seen.roles, SodError) else ""
        detail = f"the roles of the app's identity could not be read{why}"
        advice = f"Look in the portal whether it is {CatalogRole.PACKAGE_MANAGER.portal_name}."
        return unknown(what, detail, advice if writes else "")
    has = _writing_role(seen.caller, seen.roles, catalog.id)
    if has:
        return ok(what, has)
    if not writes:
        word = enforcement.word
        return ok(what, f"not allowed, and not needed with ENFORCEMENT={word}")
    return wrong(
        what,
        "not allowed, and ENFORCEMENT=apply writes references",
        f"Give the app's identity {CatalogRole.PACKAGE_MANAGER.portal_name} on it: entra-sod grant "
        "--read-write.",
    )


def _writing_role(caller: TokenPrincipal, roles: Sequence[RoleAssignment], catalog_id: str) -> str:
    if READ_WRITE_ALL in caller.permissions:
        return READ_WRITE_ALL
    held = {each.role_id for each in roles if each.catalog_id == catalog_id}
    writing = [role for role in CatalogRole if role.writes_references and role in held]
    return writing[0].portal_name if writing else ""


def _additional_access(seen: GraphProbe) -> Iterator[Diagnosis]:
    what = "Graph: additionalAccess"
    if seen.additional_access is True:
        yield ok(what, "supported")
    elif isinstance(seen.additional_access, PERMANENT):
        yield note(what, "not for this app; assignment lists are read and joined in its place")
    elif isinstance(seen.additional_access, SodError):
        yield unknown(what, seen.additional_access)


def _members(caller: TokenPrincipal) -> Diagnosis:
    what = "Graph: members of groups"
    if COUNTING & {*caller.permissions, *caller.scopes}:
        return ok(what, "may be counted")
    why = "may not be counted, so how many subjects a reference to a group keeps away is not known"
    return note(what, f"{why}; the optional permission {COUNT_MEMBERS} allows it")
