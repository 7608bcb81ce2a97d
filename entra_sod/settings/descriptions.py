"""What each setting means, for the reference: docs/reference/settings.md is made of it.

Names, defaults and accepted values are those that the code reads. A test compares the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import override

from entra_sod.settings import READERS, STORAGE
from entra_sod.settings.environment import EnvironmentReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of the app.

    Attributes:
        meaning: what it is for.
        values: what it accepts; the code's own words, if none are given here.
        default: what counts without it; the code's own value, if none is given here.
    """

    meaning: str
    values: str = ""
    default: str = ""


def _storage(service: str) -> Setting:
    return Setting(
        meaning=f"Address of the {service} service, for storage by an identity.",
        values="an https address",
    )


DESCRIPTIONS: Mapping[str, Setting] = {
    "RULES": Setting(
        meaning="Where the rules are: a folder of YAML files, or a container of the app's storage.",
        values="a folder, or `blob:CONTAINER`",
    ),
    "ENFORCEMENT": Setting(
        meaning="How far the app goes: `off` finds, `plan` also computes and reports references, "
        "`apply` also writes them.",
    ),
    "SWEEP_SCHEDULE": Setting(
        meaning="When the sweep runs, in UTC. The Functions host requires it.",
        default="`0 0 2 * * *`; `infra/` sets it",
    ),
    "MAX_REFERENCE_WRITES": Setting(
        meaning="Maximum writes of one check or sweep. If a run needs more, it writes nothing.",
    ),
    "MAX_REFERENCE_WRITES_PER_DAY": Setting(
        meaning="Maximum writes within 24 hours, of all checks, sweeps and `entra-sod apply` "
        "together. The rest stays planned.",
    ),
    "MAX_SUBJECTS_AFFECTED": Setting(
        meaning="Maximum number of subjects that the references of one check or sweep newly keep "
        "away. The rest is held.",
    ),
    "PRUNE": Setting(
        meaning="Let sweeps and `entra-sod apply` remove references of the app's ledger that no "
        "rule asks for any more.",
    ),
    "SELECTION_CHANGES": Setting(
        meaning="What happens to references that are wanted only because a package or group joined "
        "or left a rule since its review. `hold` waits for `entra-sod selection approve`; `write` "
        "writes and prunes at once.",
    ),
    "CONFIRM_CONFLICTS": Setting(
        meaning="Ask Graph once more, by `additionalAccess`, for conflicts of enforced pairs that "
        "a sweep found by its index.",
    ),
    "FINDINGS_RETENTION_DAYS": Setting(
        meaning="How long a finding is kept after it was resolved or put on hold.",
    ),
    "DECISION_INDEX_MINUTES": Setting(
        meaning="How old the index of the last sweep may be to answer a decision, counted from the "
        "beginning of that sweep. 0 never uses it.",
    ),
    "DECISION_ON_GAPS": Setting(
        meaning="The decision if something that is needed could not be read.",
    ),
    "DECISION_ON_UNKNOWN_SUBJECT": Setting(
        meaning="The decision about an id that no source knows, if no rule is against it.",
    ),
    "GRAPH_REQUESTS_PER_10S": Setting(
        meaning="Maximum requests to Graph in 10 seconds, of all instances together. The app goes "
        "slower after a 429.",
    ),
    "GRAPH_CLOUD": Setting(
        meaning="The national cloud: Graph address, token scope and sign-in authority together.",
    ),
    "GRAPH_ROOT": Setting(
        meaning="Another Graph address, for a simulator. Plain http only for a loopback address.",
        values="a scheme and a host",
        default="from the cloud",
    ),
    "GRAPH_CREDENTIAL": Setting(
        meaning="How the app signs in to Graph. `default` is DefaultAzureCredential. `local` is a "
        "fixed token for a loopback address. The command line uses the sign-in of "
        "`entra-sod login`, unless this is set.",
        default="`managed-identity`",
    ),
    "AZURE_CLIENT_ID": Setting(meaning="Client id of the user-assigned managed identity."),
    STORAGE: Setting(
        meaning="Storage by connection string. Set this or the three addresses below.",
        values="a connection string",
    ),
    f"{STORAGE}__queueServiceUri": _storage("queue"),
    f"{STORAGE}__blobServiceUri": _storage("blob"),
    f"{STORAGE}__tableServiceUri": _storage("table"),
    f"{STORAGE}__clientId": Setting(
        meaning="Client id of the identity for storage, if it is not that of the app.",
        values="a GUID",
    ),
    "CALLER_KEYS": Setting(
        meaning="The keys that the app accepts, by their SHA-256. Without it all keys are refused. "
        "`anyone` turns authentication off, and is accepted only with a loopback `GRAPH_ROOT`.",
        values="entries such as `servicenow:SHA256`, with spaces between",
    ),
    "CALLER_REQUESTS_PER_MINUTE": Setting(
        meaning="Maximum requests of one caller in a minute, at each instance. Ten times as many "
        "`GET`. More are answered with 429.",
    ),
    "CALLBACK_HOSTS": Setting(
        meaning="Hosts that the app may call back: `hooks.contoso.com`, `*.logic.azure.com` (all "
        "names below it), `host:8443`. Without it every callback address is refused.",
        values="host names, with commas between",
    ),
    "WEBHOOK_SIGNING_KEYS": Setting(
        meaning="What events are signed with. Without it they are not signed.",
    ),
    "WEBHOOKS": Setting(
        meaning="Who may send webhooks: for each source its proof, the names of the settings with "
        "its secrets, and where the fields are in its bodies.",
        values="YAML, JSON, or the name of a file",
    ),
    "WEBSITE_AUTH_ENABLED": Setting(
        meaning="App Service sets it to `True` if its authentication verifies tokens. Never set it "
        "yourself.",
        values="set by the platform",
    ),
}


class _Recorder(EnvironmentReader):
    """An empty environment that keeps what the code asks of it."""

    def __init__(self) -> None:
        super().__init__({})
        self.read: dict[str, Setting] = {}

    def _keep(self, name: str, values: str, default: object) -> None:
        text = "none" if default in ("", ()) else f"`{default}`"
        self.read.setdefault(name, Setting(meaning="", values=values, default=text))

    @override
    def text(self, name: str, default: str = "") -> str:
        self._keep(name, "text", default)
        return super().text(name, default)

    @override
    def parsed[T](self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        self._keep(name, expected, default)
        return super().parsed(name, default, parse, expected)

    @override
    def choice[T](self, name: str, choices: Mapping[str, T], default: str) -> T:
        self._keep(name, ", ".join(f"`{each}`" for each in choices), default)
        return super().choice(name, choices, default)


def settings_in_code() -> Mapping[str, Setting]:
    """Every setting that the code reads, with its values and its default, but without a meaning."""
    recorder = _Recorder()
    for read in READERS:
        read(recorder)
    recorder.text("WEBHOOKS")  # read apart from the others, with its secrets
    return recorder.read


def described_settings() -> Sequence[tuple[str, Setting]]:
    """Every setting as the reference shows it, in the order of the descriptions."""
    read = settings_in_code()
    return [
        (
            name,
            replace(
                said,
                values=said.values or read[name].values,
                default=said.default or read[name].default,
            ),
        )
        for name, said in DESCRIPTIONS.items()
    ]
