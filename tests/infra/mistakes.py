"""Mistakes that `make infra` has to find: each is one change of one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mistake:
    """Text in a file, what it becomes, and the words that the check must have for it."""

    file: str
    old: str
    new: str
    named: str

    def plant(self, folder: Path) -> None:
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.file} does not have {self.old!r} once"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


_STORAGE = "infra/modules/storage.bicep"
_OPERATOR = "infra/modules/operator.bicep"
_APP = "infra/modules/app.bicep"
_MAIN = "infra/main.bicep"
_HOOK = "infra/logic-apps/launch-and-wait.bicep"

MISTAKES = {
    "shared-key": Mistake(
        _STORAGE,
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "allowSharedKeyAccess",
    ),
    "old-tls": Mistake(_STORAGE, "'TLS1_2'", "'TLS1_0'", "minimumTlsVersion"),
    "public-blobs": Mistake(
        _STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "BlobPublicAccess"
    ),
    "no-poison-queue": Mistake(
        _STORAGE, "  'sweep-pairs-poison'\n", "", "queues lacks sweep-pairs-poison"
    ),
    "no-table-role": Mistake(
        _STORAGE,
        "  roles.storageTableDataContributor\n]\n",
        "]\n",
        "the app lacks storageTableDataContributor",
    ),
    "operator-of-all-blobs": Mistake(
        _OPERATOR,
        "scope: container[place]",
        "scope: account",
        "operator: a right is not on a single place",
    ),
    "operator-of-results": Mistake(
        _OPERATOR,
        "  { name: 'poison', ",
        "  { name: 'checks', role: roles.storageBlobDataContributor }\n  { name: 'poison', ",
        "operator: may change checks of containers",
    ),
    "operator-of-findings": Mistake(
        _OPERATOR,
        "'findings', role: roles.storageTableDataReader",
        "'findings', role: roles.storageTableDataContributor",
        "operator: may change findings of tables",
    ),
    "custodian-of-sweeps": Mistake(
        "infra/modules/custodian.bicep",
        "'sweeps', role: roles.storageTableDataReader",
        "'sweeps', role: roles.storageTableDataContributor",
        "custodian: may change sweeps of tables",
    ),
    "custodian-who-cannot-seal": Mistake(
        "infra/modules/custodian.bicep",
        "  { name: 'evidence', role: roles.storageTableDataContributor }\n",
        "",
        "custodian: may not change evidence of tables",
    ),
    "alert-without-runbook": Mistake(
        "infra/modules/alerts.bicep",
        "docs/how-to/operate.md#budget-exhausted",
        "docs/how-to/operate.md#budget-spent",
        "names no runbook that there is",
    ),
    "no-alert-of-writes": Mistake(
        "infra/modules/alerts.bicep",
        "name: 'references-written'",
        "name: 'references-changed'",
        "alerts: references-written is missing",
    ),
    "custodian-without-the-freeze": Mistake(
        "infra/modules/custodian.bicep",
        "  { name: 'controls', role: roles.storageTableDataContributor }\n",
        "",
        "custodian: may not change controls of tables",
    ),
    "changeable-evidence": Mistake(
        _STORAGE,
        "    immutabilityPeriodSinceCreationInDays: evidenceDays\n",
        "",
        "evidence is not immutable",
    ),
    "locked-policy-written": Mistake(
        _STORAGE, " = if (!evidenceLocked) {", " = {", "a locked policy is written once more"
    ),
    "no-policy-by-default": Mistake(
        _MAIN,
        "param evidenceLocked bool = false",
        "param evidenceLocked bool = true",
        "evidence is not immutable by default",
    ),
    "wrong-role": Mistake(
        "infra/roles.bicep",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb89",
        "storageQueueDataContributor",
    ),
    "not-on-flex": Mistake(
        _APP,
        "  AZURE_CLIENT_ID: identityClientId\n",
        "  AZURE_CLIENT_ID: identityClientId\n  FUNCTIONS_WORKER_RUNTIME: 'python'\n",
        "FUNCTIONS_WORKER_RUNTIME",
    ),
    "old-python": Mistake(_APP, "version: '3.13'", "version: '3.12'", "'3.12'"),
    "plain-http": Mistake(_APP, "httpsOnly: true", "httpsOnly: false", "httpsOnly"),
    "telemetry-by-key": Mistake(
        "infra/modules/monitoring.bicep",
        "DisableLocalAuth: true",
        "DisableLocalAuth: false",
        "DisableLocalAuth",
    ),
    "purgeable-secrets": Mistake(
        "infra/modules/key-vault.bicep",
        "    enablePurgeProtection: purgeProtection ? true : null\n",
        "",
        "PurgeProtection",
    ),
    "key-in-output": Mistake(
        "infra/modules/storage.bicep",
        "output id string = account.id",
        "output id string = account.id\noutput key string = account.listKeys().keys[0].value",
        "listKeys",
    ),
    "default-secret": Mistake(
        _MAIN,
        "param teamsUrl string = ''",
        "param teamsUrl string = 'https://hooks.contoso.com/x'",
        "teamsUrl",
    ),
    "no-output": Mistake(
        _MAIN,
        "output APP_IDENTITY_PRINCIPAL_ID",
        "output PRINCIPAL_ID",
        "APP_IDENTITY_PRINCIPAL_ID",
    ),
    "unknown-action": Mistake(
        "infra/modules/alerts.bicep", '"message_poisoned"', '"message_lost"', "message_lost"
    ),
    "no-alert-email": Mistake(
        _MAIN,
        "? false\n  : empty(alertEmail)\n",
        "? false\n  : empty(tags)\n",
        "hook: it is deployed without an address for alerts",
    ),
    "key-from-vault-refused": Mistake(
        _MAIN,
        " && !contains(fromVault, 'CALLER_KEYS')",
        "",
        "callers: those with a key from Key Vault are refused",
    ),
    "told-once": Mistake(_HOOK, "autoMitigate: false", "autoMitigate: true", "autoMitigate"),
    "no-address": Mistake(_MAIN, "    tellUrl: tellUrl\n", "", "hook: tellUrl is not handed on"),
    "review-goes-on": Mistake(
        _MAIN, "param onReview string = 'wait'", "param onReview string = 'continue'", "'continue'"
    ),
    "no-setting": Mistake(
        "infra/main.parameters.json",
        '        "MAX_REFERENCE_WRITES": "${MAX_REFERENCE_WRITES=50}",\n',
        "",
        "MAX_REFERENCE_WRITES",
    ),
    "plain-secret": Mistake(
        "infra/main.parameters.json",
        '        "GRAPH_ROOT": "",\n',
        '        "GRAPH_ROOT": "",\n        "WEBHOOK_SIGNING_KEYS": "${KEYS}",\n',
        "WEBHOOK_SIGNING_KEYS is a secret",
    ),
    "unknown-parameter": Mistake(
        "infra/main.parameters.json", '"logDays"', '"daysOfLogs"', "daysOfLogs"
    ),
    "host-key": Mistake("host.json", '"extensions"', '"extension"', "extension is not known"),
    "wrong-host": Mistake("azure.yaml", "host: function", "host: functions", "host is 'functions'"),
    "no-hook": Mistake(
        "azure.yaml", "sh scripts/hook.sh smoke", "sh scripts/hook.sh", "postdeploy does not run"
    ),
    "hook-without-windows": Mistake(
        "azure.yaml",
        "    windows:\n      shell: pwsh\n      run: ./scripts/hook.ps1 wait_for_roles\n"
        "      continueOnError: true\n",
        "",
        "predeploy does not run wait_for_roles on windows",
    ),
    "hook-in-sh-on-windows": Mistake(
        "azure.yaml",
        "      shell: pwsh\n      run: ./scripts/hook.ps1 smoke\n",
        "      shell: sh\n      run: ./scripts/hook.ps1 smoke\n",
        "postdeploy on windows: shell",
    ),
    "hook-that-stops-azd": Mistake(
        "azure.yaml",
        "run: sh scripts/hook.sh grant\n      interactive: true\n      continueOnError: true\n",
        "run: sh scripts/hook.sh grant\n      interactive: true\n",
        "azd stops where the hook postprovision fails on posix",
    ),
    "wait-that-stops-azd": Mistake(
        "azure.yaml",
        "run: ./scripts/hook.ps1 wait_for_roles\n      continueOnError: true\n",
        "run: ./scripts/hook.ps1 wait_for_roles\n",
        "azd stops where the hook predeploy fails on windows",
    ),
    "local-build": Mistake("azure.yaml", "    remoteBuild: true\n", "", "remoteBuild"),
    "any-azd": Mistake(
        "azure.yaml", 'requiredVersions:\n  azd: ">= 1.24.0"\n', "", "requiredVersions"
    ),
    "ftps-state": Mistake(
        _APP,
        "      minTlsVersion: '1.2'\n",
        "      minTlsVersion: '1.2'\n      ftpsState: 'Disabled'\n",
        "Flex Consumption does not take ftpsState",
    ),
    "java-version": Mistake(
        _APP,
        "      minTlsVersion: '1.2'\n",
        "      minTlsVersion: '1.2'\n      javaVersion: '17'\n",
        "Flex Consumption does not take javaVersion",
    ),
    "every-logger-exported": Mistake(
        _APP,
        "  PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'entra_sod'\n",
        "",
        "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME",
    ),
    "calls-exported": Mistake(_APP, "flask,httpx,httpx2", "flask,httpx2", "calls of httpx"),
    "telemetry-of-the-runtime": Mistake(
        _APP,
        "  AZURE_CLIENT_ID: identityClientId\n",
        "  AZURE_CLIENT_ID: identityClientId\n  PYTHON_ENABLE_OPENTELEMETRY: 'true'\n",
        "PYTHON_ENABLE_OPENTELEMETRY",
    ),
    "app-writes-its-package": Mistake(
        _APP,
        "            userAssignedIdentityResourceId: packageIdentityId\n",
        "            userAssignedIdentityResourceId: identityId\n",
        "userAssignedIdentityResourceId",
    ),
    "no-versions": Mistake(
        _STORAGE,
        "    isVersioningEnabled: true\n",
        "",
        "what is written over cannot be brought back",
    ),
    "ledger-writes-not-logged": Mistake(
        _STORAGE,
        "  scope: tableService\n  properties: {\n    workspaceId: workspaceId\n    logs: [\n"
        "      { category: 'StorageWrite', enabled: true }\n",
        "  scope: tableService\n  properties: {\n    workspaceId: workspaceId\n    logs: [\n",
        "StorageWrite",
    ),
    "purgeable-by-default": Mistake(
        _MAIN,
        "param purgeProtection bool = true",
        "param purgeProtection bool = false",
        "purgeProtection",
    ),
}
