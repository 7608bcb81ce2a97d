"""Entra's custom extensions and the policies that use them, as values.

A custom extension names a Logic App; a policy's stage settings name the extensions that are called
when a request reaches a stage. All of a policy that is not ours to change is kept as it was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from entra_sod.core.errors import SodError

STAGE = "assignmentRequestCreated"
REQUEST_EXTENSION = "#microsoft.graph.accessPackageAssignmentRequestWorkflowExtension"
MAX_RESOURCE_ID_LENGTH = 150  # of a Logic App that Entra takes

_RESOURCE_ID = re.compile(
    r"/subscriptions/([0-9a-f-]{36})/resourceGroups/([^/]+)/providers/Microsoft\.Logic/workflows/([^/]+)",
    re.IGNORECASE,
)


class HookRefused(SodError):
    """A hook cannot be planned as asked; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicApp:
    subscription_id: str
    resource_group: str
    workflow: str

    @classmethod
    def parse(cls, resource_id: str) -> Self:
        """Take a resource id apart.

        Raises:
            HookRefused: it is not that of a Consumption workflow, or longer than Entra takes.
        """
        found = _RESOURCE_ID.fullmatch(resource_id.strip())
        if found is None:
            raise HookRefused(
                f"{resource_id!r} is no resource id of a Consumption Logic App: it looks like "
                "/subscriptions/…/resourceGroups/…/providers/Microsoft.Logic/workflows/…"
            )
        if len(resource_id.strip()) > MAX_RESOURCE_ID_LENGTH:
            raise HookRefused(
                f"The Logic App's resource id has {len(resource_id.strip())} characters and Entra "
                f"takes {MAX_RESOURCE_ID_LENGTH}: give the workflow or its group a shorter name."
            )
        subscription, group, workflow = found.groups()
        return cls(subscription_id=subscription.lower(), resource_group=group, workflow=workflow)

    @property
    def resource_id(self) -> str:
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Logic/workflows/{self.workflow}"
        )

    def is_same(self, other: LogicApp) -> bool:
        """Compare as Azure does: without regard to case."""
        return self.resource_id.casefold() == other.resource_id.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExtension:
    """An extension to be made; a request waits `wait_hours` at most for its answer."""

    display_name: str
    logic_app: LogicApp
    wait_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A custom extension of a catalog.

    Attributes:
        kind: Graph's type, such as `REQUEST_EXTENSION`.
        waits: whether a request waits for its answer.
        logic_app: None where it names something else.
    """

    id: str
    display_name: str
    kind: str
    waits: bool
    logic_app: LogicApp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSetting:
    """Which extension a policy calls at which stage.

    Attributes:
        extension_id: None where Graph does not say; such a setting cannot be written back.
        body: canonical JSON of the setting, as it is written back.
    """

    stage: str
    extension_id: str | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An assignment policy.

    Attributes:
        settings: the one part that is ours to change, and of it only what names our extension.
        shows_questions: whether Graph told what requestors are asked; where it did not, writing
            the policy back would take the questions away.
        rest: canonical JSON of everything else that is written back as it was read.
    """

    id: str
    display_name: str
    package_id: str
    settings: tuple[StageSetting, ...]
    shows_questions: bool
    rest: bytes

    def uses(self, extension_id: str) -> bool:
        """Whether it calls an extension when a request is created."""
        return any(is_hook(each, extension_id) for each in self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePolicies:
    """A package of a catalog with the ids of its policies."""

    id: str
    display_name: str
    policy_ids: tuple[str, ...]


def is_hook(setting: StageSetting, extension_id: str) -> bool:
    return setting.extension_id == extension_id and setting.stage.casefold() == STAGE.casefold()
