"""Graph's JSON of custom extensions and policies: bytes in, values out, and back.

A policy is replaced as a whole when it is written, so all that it says is kept, known or not.
"""

from __future__ import annotations

from typing import Any

import msgspec

from entra_sod.adapters.graph.wire import PageDecoder
from entra_sod.cli.operations.extensions.model import (
    REQUEST_EXTENSION,
    Extension,
    LogicApp,
    NewExtension,
    PackagePolicies,
    Policy,
    StageSetting,
)
from entra_sod.core.errors import Unavailable

_SETTINGS = "customExtensionStageSettings"
_QUESTIONS = "questions"
# what Graph sets itself, and what is written in a form of its own
_NOT_WRITTEN_BACK = frozenset(
    {"id", "createdDateTime", "modifiedDateTime", "accessPackage", "catalog", _SETTINGS}
)
_LOGIC_APP = "#microsoft.graph.logicAppTriggerEndpointConfiguration"


class WirePolicyId(msgspec.Struct):
    id: str


class WirePackagePolicies(msgspec.Struct, rename="camel"):
    id: str
    assignment_policies: list[WirePolicyId]
    display_name: str | None = None


class WireEndpoint(msgspec.Struct, rename="camel"):
    subscription_id: str | None = None
    resource_group_name: str | None = None
    logic_app_workflow_name: str | None = None


class WireExtension(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None
    kind: str = msgspec.field(default="", name="@odata.type")
    endpoint_configuration: WireEndpoint | None = None
    callback_configuration: dict[str, Any] | None = None


one_policy = msgspec.json.Decoder(dict[str, Any])


def package(found: WirePackagePolicies) -> PackagePolicies:
    return PackagePolicies(
        id=found.id.lower(),
        display_name=found.display_name or "",
        policy_ids=tuple(each.id.lower() for each in found.assignment_policies),
    )


def extension(found: WireExtension) -> Extension:
    return Extension(
        id=found.id.lower(),
        display_name=found.display_name or "",
        kind=found.kind,
        waits=bool(found.callback_configuration),
        logic_app=_logic_app(found.endpoint_configuration),
    )


def _logic_app(found: WireEndpoint | None) -> LogicApp | None:
    if found is None:
        return None
    subscription, group, workflow = (
        found.subscription_id,
        found.resource_group_name,
        found.logic_app_workflow_name,
    )
    if not (subscription and group and workflow):
        return None
    return LogicApp(subscription_id=subscription.lower(), resource_group=group, workflow=workflow)


def policy(package_id: str, found: dict[str, Any]) -> Policy:
    """A policy with all that is written back.

    Raises:
        Unavailable: it came without its stage settings, which writing it back would then lose.
    """
    settings = found.get(_SETTINGS)
    if not isinstance(found.get("id"), str) or not isinstance(settings, list):
        raise Unavailable("Graph's answer has no policy with its stage settings in it")
    rest = {
        name: value
        for name, value in found.items()
        if name not in _NOT_WRITTEN_BACK and "@odata." not in name
    }
    return Policy(
        id=found["id"].lower(),
        display_name=str(found.get("displayName") or ""),
        package_id=package_id,
        settings=tuple(_setting(each) for each in settings),
        shows_questions=isinstance(found.get(_QUESTIONS), list),
        rest=_canonical(rest),
    )


def _setting(found: Any) -> StageSetting:  # noqa: ANN401 - JSON of a shape that Graph may widen
    if not isinstance(found, dict) or not isinstance(found.get("stage"), str):
        raise Unavailable("Graph's answer has a stage setting without a stage")
    named = found.get("customExtension")
    known = named if isinstance(named, dict) and isinstance(named.get("id"), str) else None
    body = {name: value for name, value in found.items() if name != "id" and "@odata." not in name}
    if known:
        # The extension itself is no part of the policy: only which one it is.
        body["customExtension"] = {
            "@odata.type": known.get("@odata.type", REQUEST_EXTENSION),
            "id": known["id"].lower(),
        }
    return StageSetting(
        stage=found["stage"],
        extension_id=known["id"].lower() if known else None,
        body=_canonical(body),
    )


def policy_body(written: Policy) -> bytes:
    """A policy as PUT wants it: whole."""
    rest = msgspec.json.decode(written.rest, type=dict[str, Any])
    settings = [msgspec.json.decode(each.body) for each in written.settings]
    ours = {"id": written.id, "accessPackage": {"id": written.package_id}, _SETTINGS: settings}
    return msgspec.json.encode(rest | ours)


def extension_body(new: NewExtension) -> bytes:
    return msgspec.json.encode(
        {
            "@odata.type": REQUEST_EXTENSION,
            "displayName": new.display_name,
            "description": "Asks entra-sod whether a request would bring duties together.",
            "endpointConfiguration": {
                "@odata.type": _LOGIC_APP,
                "subscriptionId": new.logic_app.subscription_id,
                "resourceGroupName": new.logic_app.resource_group,
                "logicAppWorkflowName": new.logic_app.workflow,
            },
            "authenticationConfiguration": {
                "@odata.type": "#microsoft.graph.azureAdPopTokenAuthentication"
            },
            "callbackConfiguration": {
                "@odata.type": "microsoft.graph.customExtensionCallbackConfiguration",
                "durationBeforeTimeout": f"PT{new.wait_hours}H",
            },
        }
    )


def _canonical(value: object) -> bytes:
    """JSON that is the same for equal values, whatever their order was."""
    return msgspec.json.encode(value, order="sorted")


packages_page = PageDecoder(WirePackagePolicies, package)
extensions_page = PageDecoder(WireExtension, extension)
