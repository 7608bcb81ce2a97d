"""How rules name what packages grant: the form of one entry, and what is wrong with one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated
from uuid import UUID

import msgspec

from entra_sod.core.validation import Mistake, Path
from entra_sod.domain.grants import GrantKind

type GrantText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class GrantSelector(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"directory_role": "directoryRole", "azure_role": "azureRole"},
):
    """Something that packages grant; every package that grants it is selected.

    Exactly one of group, app, site, directoryRole and azureRole is given. Names compare as people
    see them, without regard to case. There are no wildcards.

    Attributes:
        group: the group's object id.
        app: the application's name, or the object id of its service principal.
        site: the address of the SharePoint site.
        directory_role: the name of the directory role, or its id.
        azure_role: the name of the Azure role, or its id.
        role: the role's name or id; of an app or a site. Without it, every role.
        scope: where the Azure role is granted, such as `/subscriptions/…`. Without it, everywhere.
        kind: of a group `member` (the default), `owner`, `eligible` or `any`; of a directory role
            or an Azure role `active` (the default), `eligible` or `any`.
    """

    group: UUID | None = None
    app: GrantText | None = None
    site: GrantText | None = None
    directory_role: GrantText | None = None
    azure_role: GrantText | None = None
    role: GrantText | None = None
    scope: GrantText | None = None
    kind: GrantKind | None = None

    @property
    def resources(self) -> Mapping[str, str]:
        """The fields that name a resource, and what they say; in a right entry it is one."""
        given = {
            "group": None if self.group is None else str(self.group),
            "app": self.app,
            "site": self.site,
            "directoryRole": self.directory_role,
            "azureRole": self.azure_role,
        }
        return {name: value for name, value in given.items() if value is not None}

    @property
    def resource(self) -> tuple[str, str]:
        """The field that names the resource, and what it says."""
        return next(iter(self.resources.items()))

    @property
    def wanted_kind(self) -> GrantKind:
        if self.kind is not None:
            return self.kind
        return _DEFAULT_KINDS.get(self.resource[0], GrantKind.ANY)

    def __str__(self) -> str:
        """Write it as rules do, on one line."""
        field, value = self.resource
        more = {"role": self.role, "scope": self.scope, "kind": self.kind}
        given = {field: value, **{name: each for name, each in more.items() if each is not None}}
        return ", ".join(f"{name}: {each}" for name, each in given.items())


_DEFAULT_KINDS = {
    "group": GrantKind.MEMBER,
    "directoryRole": GrantKind.ACTIVE,
    "azureRole": GrantKind.ACTIVE,
}
_KINDS: Mapping[str, tuple[GrantKind, ...]] = {
    "group": (GrantKind.MEMBER, GrantKind.OWNER, GrantKind.ELIGIBLE, GrantKind.ANY),
    "directoryRole": (GrantKind.ACTIVE, GrantKind.ELIGIBLE, GrantKind.ANY),
    "azureRole": (GrantKind.ACTIVE, GrantKind.ELIGIBLE, GrantKind.ANY),
}
_NAMES = "group, app, site, directoryRole or azureRole"


def grant_mistakes(selector: GrantSelector, path: Path) -> Iterator[Mistake]:
    """Find what is wrong with one entry of `grants`, at its place."""
    given = selector.resources
    if not given:
        yield Mistake(path, f"selects nothing: give {_NAMES}")
        return
    if len(given) > 1:
        yield Mistake(path, f"has {' and '.join(given)}: give exactly one of {_NAMES}")
        return
    yield from _blank(selector, path)
    field, value = selector.resource
    if selector.role is not None and field not in ("app", "site"):
        yield Mistake((*path, "role"), f"does not go with {field}: only an app or a site has it")
    if selector.scope is not None and field != "azureRole":
        yield Mistake((*path, "scope"), f"does not go with {field}: only an azureRole has it")
    if selector.scope and selector.scope.strip() and not selector.scope.strip().startswith("/"):
        detail = "is no Azure scope: it begins with /, such as /subscriptions/<id>"
        yield Mistake((*path, "scope"), detail)
    if field == "site" and not value.strip().lower().startswith("https://"):
        detail = "is no address of a site, such as https://contoso.sharepoint.com/sites/payables"
        yield Mistake((*path, "site"), detail)
    yield from _kind_mistakes(selector, field, path)


def _blank(selector: GrantSelector, path: Path) -> Iterator[Mistake]:
    texts = {**selector.resources, "role": selector.role, "scope": selector.scope}
    for name, text in texts.items():
        if text is not None and not text.strip():
            yield Mistake((*path, name), "is blank")


def _kind_mistakes(selector: GrantSelector, field: str, path: Path) -> Iterator[Mistake]:
    if selector.kind is None:
        return
    if field not in _KINDS:
        yield Mistake((*path, "kind"), f"does not go with {field}: its roles are of one kind")
    elif selector.kind not in _KINDS[field]:
        *others, last = _KINDS[field]
        detail = f"must be {', '.join(others)} or {last} for {field}"
        yield Mistake((*path, "kind"), detail)
