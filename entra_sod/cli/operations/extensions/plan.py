"""What it takes to hook a catalog, or to take the hook off again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from entra_sod.cli.operations.extensions.model import (
    REQUEST_EXTENSION,
    STAGE,
    Extension,
    HookRefused,
    LogicApp,
    NewExtension,
    PackagePolicies,
    Policy,
    StageSetting,
    is_hook,
)
from entra_sod.domain.entra import Catalog
from entra_sod.domain.text import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionState:
    """What was read of a catalog.

    Attributes:
        policies: of the packages that were looked at, by id.
    """

    catalog: Catalog
    packages: Sequence[PackagePolicies]
    extensions: Sequence[Extension]
    policies: Mapping[str, Policy]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCatalogItem:
    """A package or policy that stays as it is, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionPlan:
    """What is to be written.

    Attributes:
        extension: ours, where there is one already.
        create: the extension to be made first.
        attach: policies that are to call it.
        detach: policies that are to call it no more.
        is_deleted: whether the extension goes at the end.
        kept: policies that are as they should be.
        gaps: what cannot be brought to be.
        package_names: of the catalog, by id.
    """

    catalog: Catalog
    name: str
    extension: Extension | None
    create: NewExtension | None = None
    attach: tuple[Policy, ...] = ()
    detach: tuple[Policy, ...] = ()
    is_deleted: bool = False
    kept: int = 0
    gaps: tuple[UnreadableCatalogItem, ...] = ()
    package_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.attach or self.detach or self.is_deleted)


def plan_install(
    seen: ExtensionState,
    *,
    named: Collection[str],
    name: str,
    logic_app: LogicApp | None,
    wait_hours: int,
) -> ExtensionPlan:
    """Plan the extension, and its attachment to every policy of the packages that rules name.

    Args:
        seen: the catalog, with the policies of the named packages.
        named: ids of packages, of any catalog.
        name: of the extension, by which ours is known.
        logic_app: to be called; None where the extension is there already.
        wait_hours: how long a request waits for the answer of a new extension.

    Raises:
        HookRefused: the extension's name is taken by something that does not fit, or there is none
            yet and no Logic App is given.
    """
    ours = find_ours(seen, name)
    _require_fit(ours, logic_app)
    wanted = [each for each in _policies(seen, named) if not (ours and each.uses(ours.id))]
    attach = tuple(each for each in wanted if _can_be_written(each))
    return ExtensionPlan(
        catalog=seen.catalog,
        name=name,
        extension=ours,
        create=_to_create(ours, name, logic_app, wait_hours) if attach else None,
        attach=attach,
        kept=len(_policies(seen, named)) - len(wanted),
        gaps=(*_without_policies(seen, named), *_unwritable(wanted)),
        package_names=_names(seen),
    )


def plan_remove(seen: ExtensionState, *, name: str) -> ExtensionPlan:
    """Plan to take our extension off every policy of the catalog, and to delete it.

    A policy that uses it at another stage keeps it, and then it is not deleted.

    Raises:
        HookRefused: what has the extension's name is none of ours.
    """
    ours = find_ours(seen, name)
    if ours is None:
        return ExtensionPlan(catalog=seen.catalog, name=name, extension=None)
    _require_fit(ours, None)
    hooked = [each for each in seen.policies.values() if each.uses(ours.id)]
    detach = tuple(each for each in hooked if _can_be_written(each))
    gaps = (*_unwritable(hooked), *_used_elsewhere(seen.policies.values(), ours.id))
    return ExtensionPlan(
        catalog=seen.catalog,
        name=name,
        extension=ours,
        detach=detach,
        is_deleted=not gaps,
        gaps=gaps,
        package_names=_names(seen),
    )


def attached(policy: Policy, extension_id: str) -> Policy:
    """The policy calling the extension when a request is created, beside what it calls already."""
    if policy.uses(extension_id):
        return policy
    return replace(policy, settings=(*policy.settings, custom_extension(extension_id)))


def detached(policy: Policy, extension_id: str) -> Policy:
    """The policy without the extension at that stage; whatever else it calls stays."""
    others = tuple(each for each in policy.settings if not is_hook(each, extension_id))
    return replace(policy, settings=others)


def custom_extension(extension_id: str) -> StageSetting:
    """The setting that we attach."""
    extension = {"@odata.type": REQUEST_EXTENSION, "id": extension_id}
    body = {"customExtension": extension, "stage": STAGE}
    return StageSetting(
        stage=STAGE, extension_id=extension_id, body=msgspec.json.encode(body, order="sorted")
    )


def find_ours(seen: ExtensionState, name: str) -> Extension | None:
    """The extension of our name.

    Raises:
        HookRefused: there are several.
    """
    found = [each for each in seen.extensions if fold(each.display_name) == fold(name)]
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise HookRefused(f"Several extensions are called {name}: {ids}. Choose another --name.")
    return found[0] if found else None


def _names(seen: ExtensionState) -> Mapping[str, str]:
    return {each.id: each.display_name for each in seen.packages}


def _require_fit(ours: Extension | None, logic_app: LogicApp | None) -> None:
    if ours is None:
        return
    if ours.kind.casefold() != REQUEST_EXTENSION.casefold() or not ours.waits:
        raise HookRefused(
            f"The extension {ours.display_name} is of a type that no request waits for: delete it, "
            "or choose another --name."
        )
    if logic_app and not (ours.logic_app and ours.logic_app.is_same(logic_app)):
        calls = ours.logic_app.resource_id if ours.logic_app else "something else"
        raise HookRefused(
            f"The extension {ours.display_name} calls {calls}, not {logic_app.resource_id}: remove "
            "it first with entra-sod hook remove, or choose another --name."
        )


def _to_create(
    ours: Extension | None, name: str, logic_app: LogicApp | None, wait_hours: int
) -> NewExtension | None:
    if ours:
        return None
    if logic_app is None:
        raise HookRefused(
            f"The catalog has no extension {name} yet: name the Logic App that it is to call with "
            "--logic-app."
        )
    return NewExtension(display_name=name, logic_app=logic_app, wait_hours=wait_hours)


def _policies(seen: ExtensionState, named: Collection[str]) -> list[Policy]:
    return [
        seen.policies[policy_id]
        for package in seen.packages
        if package.id in named
        for policy_id in package.policy_ids
    ]


def _can_be_written(policy: Policy) -> bool:
    return _would_lose(policy) is None


def _would_lose(policy: Policy) -> str | None:
    """What writing a policy back would take away, for Graph did not show it."""
    if any(each.extension_id is None for each in policy.settings):
        return "it calls an extension that Graph does not name, which writing it would lose"
    if not policy.shows_questions:
        return "Graph does not show its questions to requestors, which writing it would lose"
    return None


def _unwritable(policies: Collection[Policy]) -> Iterator[UnreadableCatalogItem]:
    for policy in policies:
        if why := _would_lose(policy):
            yield UnreadableCatalogItem(what=f"policy {policy.display_name} ({policy.id})", why=why)


def _without_policies(
    seen: ExtensionState, named: Collection[str]
) -> Iterator[UnreadableCatalogItem]:
    for package in seen.packages:
        if package.id in named and not package.policy_ids:
            why = "it has no policy, so it cannot be requested yet"
            yield UnreadableCatalogItem(
                what=f"package {package.display_name} ({package.id})", why=why
            )


def _used_elsewhere(
    policies: Collection[Policy], extension_id: str
) -> Iterator[UnreadableCatalogItem]:
    for policy in policies:
        for each in policy.settings:
            if each.extension_id == extension_id and not is_hook(each, extension_id):
                why = f"it calls the extension at {each.stage}, too, so the extension is kept"
                yield UnreadableCatalogItem(
                    what=f"policy {policy.display_name} ({policy.id})", why=why
                )
