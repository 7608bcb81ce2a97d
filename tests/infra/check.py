"""What a deployment has to be, held against the files and the compiled template of one folder.

Each check yields a sentence for whatever is wrong. They read a folder that looks like the project's
own, so that a test can plant mistakes into copies of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES
from jsonschema.validators import validator_for

from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, SWEEP_QUEUE
from tests.infra.bicep import SHARED, Json, compiled, modules_of, nested, resources_of

FILES = (
    "azure.yaml",
    "host.json",
    "docs/reference/roles-and-permissions.md",
    "docs/how-to/operate.md",
    "docs/reference/log-actions.md",
    "entra_sod/settings/__init__.py",
    "entra_sod/core/telemetry.py",
)
OUTPUTS = {
    "AZURE_FUNCTION_APP_NAME",
    "AZURE_FUNCTION_APP_URL",
    "AZURE_RESOURCE_GROUP",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "APP_IDENTITY_PRINCIPAL_ID",
    "APP_IDENTITY_CLIENT_ID",
    "LOGIC_APP_PRINCIPAL_ID",
    "SOD_CATALOGS",
    "ENFORCEMENT",
}
# Settings that Key Vault alone may hold, and those that the platform sets by itself.
SECRET_SETTINGS = {"WEBHOOK_SIGNING_KEYS"}
PLATFORM_SETTINGS = {"WEBSITE_AUTH_ENABLED"}
HOOKS = {"postprovision": "grant", "predeploy": "wait_for_roles", "postdeploy": "smoke"}
SHELLS = {"posix": "sh", "windows": "pwsh"}
# A catalog's owner may run the first later, and nothing hangs on the wait: the deployment goes on.
GOES_ON = {"postprovision", "predeploy"}
# The worker sends what these name, and nothing of libraries: docs/explanation/privacy.md.
TELEMETRY_SETTINGS = {
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
    "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME": "entra_sod",
}
TELEMETRY_FORBIDDEN = {"PYTHON_ENABLE_OPENTELEMETRY", "PYTHON_ENABLE_DEBUG_LOGGING"}
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
NOT_ON_FLEX = re.compile(
    r"ENABLE_ORYX_BUILD|FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_RUNTIME\w*|TZ"
    r"|FUNCTIONS_MAX_HTTP_CONCURRENCY|FUNCTIONS_WORKER_PROCESS_COUNT"
    r"|FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED|SCM_DO_BUILD_DURING_DEPLOYMENT"
    r"|WEBSITE_(CONTENT\w*|DNS_SERVER|MAX_DYNAMIC_APPLICATION_SCALE_OUT|NODE_DEFAULT_VERSION"
    r"|RUN_FROM_PACKAGE|SKIP_CONTENTSHARE_VALIDATION|TIME_ZONE|VNET_ROUTE_ALL)"
)
SITE_NOT_ON_FLEX = {
    "alwaysOn",
    "containerSize",
    "ftpsState",
    "functionAppScaleLimit",
    "functionsRuntimeScaleMonitoringEnabled",
    "healthCheckPath",
    "isReserved",
    "isXenon",
    "javaVersion",
    "linuxFxVersion",
    "minimumElasticInstanceCount",
    "netFrameworkVersion",
    "powerShellVersion",
    "preWarmedInstanceCount",
    "pythonVersion",
    "use32BitWorkerProcess",
    "vnetBackupRestoreEnabled",
    "vnetContentShareEnabled",
    "vnetImagePullEnabled",
    "vnetRouteAllEnabled",
    "websiteTimeZone",
    "windowsFxVersion",
}
# What persons may change of storage, and nothing else: the rest is the app's alone.
WRITES: dict[str, dict[str, set[str]]] = {
    "operator": {
        "containers": {"rules", "poison"},
        "queues": {CHECK_QUEUE, SWEEP_QUEUE, DELIVERY_QUEUE},
        "tables": {"checks"},
    },
    "custodian": {
        "containers": {
            "checks",
            "sweeps",
            "evidence",
            "evidence-drafts",
            "events",
            "selections",
        },
        "queues": {DELIVERY_QUEUE},
        "tables": {"checks", "controls", "evidence", "findings", "ledger", "selections"},
    },
}
ALERTS = {
    "poison",
    "oldest-message",
    "timer-missed",
    "throttled",
    "references-written",
    "references-held",
    "budget-exhausted",
    "frozen",
    "tables-written",
}
_HOST_KEYS = {"version", "telemetryMode", "functionTimeout", "extensionBundle", "extensions"}
_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_SECRET = re.compile(
    r"list\w*Keys?\(|listAccountSas|listServiceSas|listSecrets\(|AccountKey=|SharedAccess|[?&]sig="
    r"|whsec_|-----BEGIN|\b(?=[A-Za-z+]*\d)[A-Za-z0-9+]{40,}={0,2}"
)


@dataclass(frozen=True)
class Project:
    """The files of one folder, each read when it is first wanted."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    @cached_property
    def template(self) -> Json:
        return compiled(self.folder)

    @cached_property
    def parameters(self) -> Json:
        found: Json = json.loads(self.text("infra/main.parameters.json"))["parameters"]
        return found

    def module(self, name: str) -> Json:
        return nested(self.template, name)

    def one(self, module: str, kind: str) -> Json:
        """The properties of the only resource of a type in a module, by the end of its type."""
        (found,) = self.all(module, kind)
        properties: Json = found["properties"]
        return properties

    def all(self, module: str, kind: str) -> list[Json]:
        return [each for each in resources_of(self.module(module)) if each["type"].endswith(kind)]


def problems(folder: Path) -> list[str]:
    """Everything that is wrong with the deployment of a folder, whose infra/ is compiled."""
    project = Project(folder)
    return [problem for check in CHECKS for problem in check(project)]


def of_storage(project: Project) -> Iterator[str]:
    account = project.one("storage", "/storageAccounts")
    wanted = {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "defaultToOAuthAuthentication": True,
    }
    yield from _differences("storage", account, wanted)
    for each in project.all("storage", "/containers"):
        yield from _differences("a container", each["properties"], {"publicAccess": "None"})
    (policy,) = project.all("storage", "/immutabilityPolicies")
    if "immutabilityPeriodSinceCreationInDays" not in policy["properties"]:
        yield "storage: evidence is not immutable"
    if policy.get("condition") != "[not(parameters('evidenceLocked'))]":
        yield "storage: a locked policy is written once more"
    if project.template["parameters"]["evidenceLocked"]["defaultValue"] is not False:
        yield "storage: evidence is not immutable by default"
    if not project.all("storage", "/managementPolicies"):
        yield "storage: results are never deleted"
    blobs = project.one("storage", "/blobServices")
    if not blobs.get("isVersioningEnabled"):
        yield "storage: what is written over cannot be brought back"
    if not blobs["deleteRetentionPolicy"]["enabled"]:
        yield "storage: what is deleted cannot be brought back"


def of_places(project: Project) -> Iterator[str]:
    """Queues, tables and containers that the code names are all made."""
    made = project.module("storage")["variables"]
    queues = {CHECK_QUEUE, SWEEP_QUEUE, DELIVERY_QUEUE}
    wanted = {
        "queues": queues | {f"{queue}-poison" for queue in queues},
        "tables": named_in_code("TABLE"),
        "containers": named_in_code("CONTAINER") | {"rules"},
    }
    for kind, names in wanted.items():
        for name in sorted(names - {*made[kind], *({"evidence"} if kind == "containers" else ())}):
            yield f"storage: {kind} lacks {name}"


def of_app(project: Project) -> Iterator[str]:
    site = project.one("app", "Microsoft.Web/sites")
    yield from _differences("app", site, {"httpsOnly": True})
    tls = {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2"}
    yield from _differences("app", site["siteConfig"], tls)
    runtime = {"name": "python", "version": "3.13"}
    yield from _differences("app's runtime", site["functionAppConfig"]["runtime"], runtime)
    storage = site["functionAppConfig"]["deployment"]["storage"]["authentication"]
    package = {"type": "UserAssignedIdentity"}
    identity = {"userAssignedIdentityResourceId": "[parameters('packageIdentityId')]"}
    yield from _differences("app's package", storage, package | identity)
    (plan,) = project.all("app", "/serverfarms")
    yield from _differences("plan", plan["sku"], {"name": "FC1", "tier": "FlexConsumption"})
    policies = project.all("app", "/basicPublishingCredentialsPolicies")
    if [each["properties"] for each in policies] != [{"allow": False}] * 2:
        yield "app: publishing by password is allowed"
    if project.template["parameters"]["instanceMemoryMB"]["defaultValue"] != 2048:
        yield "app: an instance has not 2048 MB by default"


def of_flex(project: Project) -> Iterator[str]:
    names = {*_keys(project.module("app")), *project.parameters["settings"]["value"]}
    for name in sorted(names):
        if NOT_ON_FLEX.fullmatch(name) or name in SITE_NOT_ON_FLEX:
            yield f"app: Flex Consumption does not take {name}"


def of_telemetry(project: Project) -> Iterator[str]:
    insights = project.one("monitoring", "/components")
    yield from _differences("Application Insights", insights, {"DisableLocalAuth": True})
    settings = project.module("app")["variables"]["platformSettings"]
    yield from _differences("app's telemetry", settings, TELEMETRY_SETTINGS)
    given = {*settings, *project.parameters["settings"]["value"]}
    for name in sorted(given & TELEMETRY_FORBIDDEN):
        yield f"app's telemetry: {name} breaks the worker, or sends addresses that name persons"
    exported = settings.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")
    for library in sorted(set(_ALL_SUPPORTED_INSTRUMENTED_LIBRARIES) - set(exported)):
        yield f"app's telemetry: calls of {library} are exported with their addresses"
    logged = {"storage": 3, "package": 1, "key-vault": 1, "app": 1}
    for module, count in logged.items():
        if len(project.all(module, "/diagnosticSettings")) != count:
            yield f"{module}: something of it has no diagnostic setting"
    for each in project.all("storage", "/diagnosticSettings"):
        logs = {log["category"] for log in each["properties"]["logs"] if log["enabled"]}
        for category in sorted({"StorageWrite", "StorageDelete"} - logs):
            yield f"storage: {category} of {each['scope'][-40:]} is not logged"


def of_vault(project: Project) -> Iterator[str]:
    protection = "[if(parameters('purgeProtection'), true(), null())]"
    wanted = {"enableRbacAuthorization": True, "enablePurgeProtection": protection}
    yield from _differences("Key Vault", project.one("key-vault", "/vaults"), wanted)
    default = project.template["parameters"]["purgeProtection"]
    yield from _differences("purgeProtection", default, {"defaultValue": True})


def of_roles(project: Project) -> Iterator[str]:
    """The ids are the documented ones, and the app has what it needs of storage."""
    documented = set(_GUID.findall(project.text("docs/reference/roles-and-permissions.md")))
    for name in modules_of(project.template):
        given = project.module(name).get("variables", {}).get("roles", {})
        for role, identifier in given.items():
            if identifier not in documented:
                yield f"roles: {role} has the id {identifier}, which is not documented"
        for each in project.all(name, "/roleAssignments"):
            if not re.search(
                r"roleDefinitions', variables\('\w+'\)", each["properties"]["roleDefinitionId"]
            ):
                yield f"roles: {name} gives a role that roles.bicep does not name"
    wanted = ["storageBlobDataOwner", "storageQueueDataContributor", "storageTableDataContributor"]
    given = [
        each.split(".")[-1][:-1] for each in project.module("storage")["variables"]["dataRoles"]
    ]
    for role in sorted(set(wanted) - set(given)):
        yield f"roles: the app lacks {role}"


def of_persons(project: Project) -> Iterator[str]:
    """Persons have rights on single containers, queues and tables, and change those of WRITES."""
    for each in project.all("storage", "/roleAssignments"):
        if each["properties"]["principalId"] != "[parameters('appPrincipalId')]":
            yield "storage: another identity than the app has a right to all of it"
    for each in project.all("package", "/roleAssignments"):
        if each["properties"]["principalId"] != "[reference('identity').principalId]":
            yield "package: another identity than its own may write the deployed package"
    for who, places in WRITES.items():
        for each in project.all(who, "/roleAssignments"):
            if not re.match(
                r"\[resourceId\('[^']+Services/(container|queue|table)s'", each["scope"]
            ):
                yield f"{who}: a right is not on a single place, but on {each['scope']}"
        given = project.module(who)["variables"]
        for kind in ("containers", "queues", "tables"):
            changed = {
                each["name"] for each in given.get(kind, ()) if not each["role"].endswith("Reader]")
            }
            for name in sorted(changed ^ places.get(kind, set())):
                yield f"{who}: {'may' if name in changed else 'may not'} change {name} of {kind}"


def of_settings(project: Project) -> Iterator[str]:
    """Each setting that the code reads is given by the template, and no other."""
    read = settings_read(project.text("entra_sod/settings/__init__.py"))
    given = project.parameters["settings"]["value"].keys()
    platform = project.module("app")["variables"]["platformSettings"].keys()
    for name in sorted(read - given - platform - SECRET_SETTINGS - PLATFORM_SETTINGS):
        yield f"settings: main.parameters.json does not give {name}"
    for name in sorted(given - read):
        yield f"settings: nothing reads {name}"
    for name in sorted(given & SECRET_SETTINGS):
        yield f"settings: {name} is a secret, and belongs into Key Vault alone"


def of_parameters(project: Project) -> Iterator[str]:
    declared = project.template["parameters"]
    for name in sorted(project.parameters.keys() - declared.keys()):
        yield f"main.parameters.json: main.bicep has no parameter {name}"
    for name in sorted(declared.keys() - project.parameters.keys()):
        yield f"main.parameters.json: {name} is not given"
    for name in sorted(declared.keys() & project.parameters.keys()):
        default = declared[name].get("defaultValue")
        given = re.search(r"=([^}]*)\}", str(project.parameters[name]["value"]))
        if default is not None and given and given[1].lower() != str(default).lower():
            yield f"main.parameters.json: {name} is {given[1]}, and {default} in main.bicep"
    for name in sorted(OUTPUTS - project.template["outputs"].keys()):
        yield f"main.bicep: the output {name} is missing"


def of_secrets(project: Project) -> Iterator[str]:
    """Neither the template nor a default nor an output holds or asks for a secret."""
    text = json.dumps(project.template)
    for found in sorted({match.group()[:12] for match in _SECRET.finditer(text)}):
        yield f"secrets: the template has {found}…"
    for name, template in [("main", project.template), *_templates(project)]:
        secure = {
            key
            for key, each in template.get("parameters", {}).items()
            if each.get("type", "").lower().startswith("secure")
        }
        for key in sorted(secure):
            if template["parameters"][key].get("defaultValue"):
                yield f"secrets: {key} of {name} has a default"
        outputs = json.dumps(template.get("outputs", {}))
        for key in sorted(secure):
            if f"parameters('{key}')" in outputs:
                yield f"secrets: an output of {name} shows {key}"


def of_alerts(project: Project) -> Iterator[str]:
    """Alerts and workbook ask for actions, metrics and attributes that the app has."""
    text = json.dumps([project.module("alerts"), project.module("workbook")])
    metrics = set(re.findall(r"entra_sod\.[a-z_.]+", project.text("entra_sod/core/telemetry.py")))
    actions = set(re.findall(r"`([a-z_]+)`", project.text("docs/reference/log-actions.md")))
    for name in sorted(set(re.findall(r"entra_sod\.[a-z_.]+", text)) - metrics):
        yield f"alerts: the app has no metric {name}"
    for name in sorted(set(re.findall(r'Properties\.action\) == \\+"(\w+)', text)) - actions):
        yield f"alerts: the app has no action {name}"
    names = {each["name"] for each in project.module("alerts")["variables"]["queries"]}
    for name in sorted(ALERTS - names):
        yield f"alerts: {name} is missing"
    headings = re.findall(r"^### (.+)$", project.text("docs/how-to/operate.md"), re.MULTILINE)
    anchors = {each.lower().replace(" ", "-") for each in headings}
    rules = [each["properties"] for each in project.all("alerts", "/metricAlerts")]
    for each in [*project.module("alerts")["variables"]["queries"], *rules]:
        runbook = re.search(r"Runbook: docs/how-to/operate\.md#([a-z-]+)$", each["description"])
        if runbook is None or runbook[1] not in anchors:
            yield f"alerts: {each['description']!r} names no runbook that there is"


def of_callers(project: Project) -> Iterator[str]:
    """Wherever keys of callers come from, App Service lets the app ask those who bring one."""
    given = modules_of(project.template)["app"]["properties"]["parameters"]["requireToken"]["value"]
    sources = {
        "settings": "empty(coalesce(tryGet(parameters('settings'), 'CALLER_KEYS'), ''))",
        "Key Vault": "not(contains(variables('fromVault'), 'CALLER_KEYS'))",
    }
    for source, condition in sources.items():
        if condition not in given:
            yield f"callers: those with a key from {source} are refused because a token is missing"


def of_hook(project: Project) -> Iterator[str]:
    """What Entra waits for: an operator is told of each request that is left waiting."""
    condition = project.template["variables"]["hasHook"]
    if "if(empty(parameters('alertEmail')), fail(" not in condition:
        yield "hook: it is deployed without an address for alerts"
    for each in project.all("launch-and-wait", "/metricAlerts"):
        yield from _differences("hook: the alert", each["properties"], {"autoMitigate": False})
    given = modules_of(project.template)["launch-and-wait"]["properties"]["parameters"]
    for name in ("onReview", "evidenceUrl", "tellUrl"):
        if given.get(name) != {"value": f"[parameters('{name}')]"}:
            yield f"hook: {name} is not handed on"
    yield from _differences(
        "hook: onReview", project.template["parameters"]["onReview"], {"defaultValue": "wait"}
    )


def of_host(project: Project) -> Iterator[str]:
    host = json.loads(project.text("host.json"))
    extensions = host.get("extensions", {})
    for key in sorted({*host.keys() - _HOST_KEYS, *extensions.keys() - {"http", "queues"}}):
        yield f"host.json: {key} is not known"
    yield from _against_schema("host.json", host, "host.schema.json")


def of_azure_yaml(project: Project) -> Iterator[str]:
    azure = yaml.safe_load(project.text("azure.yaml"))
    yield from _against_schema("azure.yaml", azure, "azure.yaml.schema.json")
    service = {"project": ".", "language": "python", "host": "function", "remoteBuild": True}
    yield from _differences("azure.yaml's app", azure.get("services", {}).get("app", {}), service)
    yield from _differences("azure.yaml", azure, {"requiredVersions": {"azd": ">= 1.24.0"}})
    for hook, script in HOOKS.items():
        for system, shell in SHELLS.items():
            found = azure.get("hooks", {}).get(hook, {}).get(system, {})
            yield from _differences(f"azure.yaml: {hook} on {system}", found, {"shell": shell})
            if not re.search(rf"\b{script}\b", found.get("run", "")):
                yield f"azure.yaml: the hook {hook} does not run {script} on {system}"
            if hook in GOES_ON and not found.get("continueOnError"):
                yield f"azure.yaml: azd stops where the hook {hook} fails on {system}"
    tags = [each.get("tags", "") for each in project.all("app", "Microsoft.Web/sites")]
    if "'azd-service-name', 'app'" not in str(tags):
        yield "app: azd would not find it, for it has no tag azd-service-name"


CHECKS = (
    of_storage,
    of_places,
    of_app,
    of_flex,
    of_telemetry,
    of_vault,
    of_roles,
    of_persons,
    of_settings,
    of_parameters,
    of_secrets,
    of_alerts,
    of_callers,
    of_hook,
    of_host,
    of_azure_yaml,
)


def settings_read(source: str) -> set[str]:
    """The names that the settings read, storage's own apart."""
    return set(re.findall(r'\.\w+\(\s*"([A-Z][A-Z0-9_]{3,})"', source))


def named_in_code(constant: str) -> set[str]:
    """The values of constants TABLE or CONTAINER in the code."""
    root = Path(__file__).parents[2] / "entra_sod"
    deployed = [path for path in root.rglob("*.py") if not path.is_relative_to(root / "cli")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in deployed)
    found = set(re.findall(rf"{constant.lower()}\(\"([a-z]+)\"\)", source))
    for names, values in re.findall(r"^([A-Z_, ]+) = (\".+\")$", source, flags=re.MULTILINE):
        named = zip(names.split(", "), re.findall(r'"([^"]+)"', values), strict=False)
        found |= {value for name, value in named if name.endswith(constant)}
    return found


def _templates(project: Project) -> list[tuple[str, Json]]:
    return [(name, project.module(name)) for name in modules_of(project.template)]


def _differences(what: str, found: Json, wanted: Json) -> Iterator[str]:
    for key, value in wanted.items():
        if found.get(key) != value:
            yield f"{what}: {key} is {found.get(key)!r}, not {value!r}"


def _keys(part: Any) -> Iterator[str]:
    """Every key of a template, at whatever depth, and every name in a list of settings."""
    if isinstance(part, dict):
        yield from part
        for each in part.values():
            yield from _keys(each)
    elif isinstance(part, list):
        for each in part:
            yield from _keys(each)


def _against_schema(name: str, content: Json, schema: str) -> Iterator[str]:
    path = SHARED / "schemas" / schema
    if path.exists():
        rules = json.loads(path.read_text(encoding="utf-8"))
        for error in validator_for(rules)(rules).iter_errors(content):
            yield f"{name}: {error.json_path}: {error.message[:200]}"
