"""The generated parts of docs/reference/roles-and-permissions.md: app roles, and roles in Azure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from entra_sod.domain.callers.caller import AppRole
from entra_sod.domain.callers.routes import ROUTES
from local.processes import CHECKOUT
from local.reference.markdown import code, table

_INFRA = CHECKOUT / "infra"
_PLACE = re.compile(r"\{ name: '([\w-]+)', role: roles\.(\w+) \}")
_LISTS = re.compile(r"^var (containers|queues|tables) = \[\n(.*?)^\]", re.MULTILINE | re.DOTALL)
_PEOPLE = {"operator": "operators", "custodian": "custodians"}
# Roles that a module gives for the whole of one resource.
_WHOLE = (
    ("storageBlobDataOwner", "the app", "its storage account"),
    ("storageQueueDataContributor", "the app", "its storage account"),
    ("storageTableDataContributor", "the app", "its storage account"),
    ("storageBlobDataContributor", "the package's identity", "the container `deployments`"),
    ("monitoringMetricsPublisher", "the app", "Application Insights"),
    ("keyVaultSecretsUser", "the app", "Key Vault"),
    ("keyVaultSecretsOfficer", "operators", "Key Vault"),
)


def app_roles() -> str:
    return table(("app role", "lets its holder", "routes"), map(_app_role, AppRole))


def _app_role(role: AppRole) -> tuple[str, str, str]:
    routes = [
        code(str(each))
        for each in ROUTES.values()
        if isinstance(each.access, frozenset) and role in each.access
    ]
    return code(role), role.meaning, "all" if role is AppRole.ADMIN else ", ".join(routes)


def azure_roles() -> str:
    """Every role in Azure that infra/ gives: to whom, and on what."""
    given = _given()
    rows = [
        (_title(name), code(identifier), who, where)
        for name, identifier in _ids().items()
        for who, where in given[name]
    ]
    return table(("role", "id", "who", "on"), rows)


def _ids() -> Mapping[str, str]:
    text = (_INFRA / "roles.bicep").read_text(encoding="utf-8")
    return dict(re.findall(r"(\w+): '([0-9a-f-]{36})'", text))


def _given() -> Mapping[str, list[tuple[str, str]]]:
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for role, who, where in _WHOLE:
        found[role].append((who, where))
    for module, who in _PEOPLE.items():
        for role, places in _of_people(module).items():
            found[role].append((who, "; ".join(places)))
    return found


def _of_people(module: str) -> Mapping[str, list[str]]:
    text = (_INFRA / "modules" / f"{module}.bicep").read_text(encoding="utf-8")
    found: defaultdict[str, list[str]] = defaultdict(list)
    for kind, entries in _LISTS.findall(text):
        for role, names in _by_role(entries):
            found[role].append(f"the {kind} {', '.join(map(code, names))}")
    return found


def _by_role(entries: str) -> Iterator[tuple[str, list[str]]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, role in _PLACE.findall(entries):
        names[role].append(name)
    yield from names.items()


def _title(name: str) -> str:
    """`storageBlobDataOwner` as Azure writes it: Storage Blob Data Owner."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[0].upper() + name[1:])
