"""What a deployment makes, as docs/reference/resources.md lists it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tests.infra.bicep import Json, modules_of, resources_of

# what stands in the template → how a reader says it
_WHEN = {
    "[parameters('privateNetworking')]": "`PRIVATE_NETWORKING` is `true`",
    "[not(empty(parameters('budgetStart')))]": "`BUDGET_START` is set",
    "[not(empty(variables('operator')))]": "`OPERATOR_ID` is not `none`",
    "[not(empty(parameters('operatorId')))]": "`OPERATOR_ID` is not `none`",
    "[parameters('deleteLock')]": "`DELETE_LOCK` is `true`",
    "[not(empty(parameters('custodianId')))]": "`CUSTODIAN_ID` is set",
    "[not(parameters('evidenceLocked'))]": "`EVIDENCE_LOCKED` is `false`",
    "[not(empty(parameters('apiClientId')))]": "`API_CLIENT_ID` is set",
    "[variables('hasHook')]": "`API_CLIENT_ID` and `GOVERNANCE_APP_ID` are set",
    "[variables('hasChecks')]": "`API_CLIENT_ID` and `WORKFLOW_CALLER_ID` are set",
    "[variables('hasSummary')]": "`API_CLIENT_ID` and `TEAMS_URL` are set",
    "[variables('hasTickets')]": "`TEAMS_URL` and `TICKETS_URL` are set",
    "": "always",
}


def listed(template: Json) -> list[str]:
    """A row for each type of resource of each module: module, type, how many, when."""
    return [f"| {' | '.join(row)} |" for row in _rows(template)]


def _rows(template: Json) -> Iterator[tuple[str, str, str, str]]:
    for each in resources_of(template):
        if each["type"] == "Microsoft.Resources/resourceGroups":
            yield "main", f"`{each['type']}`", "1", "always"
    for name, deployment in modules_of(template).items():
        inner: Json = deployment["properties"]["template"]
        module = _when(deployment)
        counted = Counter[tuple[str, str]]()
        for each in resources_of(inner):
            when = module if module != "always" else _when(each)
            counted[each["type"], when] += _copies(each, inner) * _copies(deployment, template)
        for (kind, when), count in counted.items():
            yield name, f"`{kind}`", str(count), when


def _when(resource: Json) -> str:
    return _WHEN[resource.get("condition", "")]


def _copies(resource: Json, template: Json) -> int:
    """How often a loop makes it: as often as its list of names or roles is long."""
    if "copy" not in resource:
        return 1
    named = re.search(r"variables\('(\w+)'\)", resource["copy"]["count"])
    assert named, resource["copy"]
    return len(template["variables"][named[1]])
