"""The app's settings: read from the environment on first use, every wrong one named in one error.

`descriptions.py` says what each means; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from entra_sod.domain.callers.identify import CallerSettings
from entra_sod.domain.callers.keys import parse_caller_keys
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.notifications.address import HostPattern, parse_host_patterns
from entra_sod.domain.notifications.signature import SigningKey, parse_signing_keys
from entra_sod.settings.environment import EnvironmentReader, collecting, is_https, is_loopback

if TYPE_CHECKING:
    from entra_sod.domain.webhooks.source import WebhookSources

# Graph root, token scope and sign-in authority belong together: a token of one cloud is worth
# nothing in another. https://learn.microsoft.com/graph/deployments
CLOUDS: Mapping[str, tuple[str, str]] = {
    "global": ("https://graph.microsoft.com", "login.microsoftonline.com"),
    "usgov": ("https://graph.microsoft.us", "login.microsoftonline.us"),
    "usgov-dod": ("https://dod-graph.microsoft.us", "login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
}
DEFAULT_SWEEP_SCHEDULE = "0 0 2 * * *"
STORAGE = "AzureWebJobsStorage"
DEFAULT_RETENTION_DAYS = 730
ANYONE = "anyone"
_MAX_RATE = 1_000_000
MAX_GRAPH_RATE = 130_000  # that Graph takes in 10 s from one app in all tenants together
_MAX_RETENTION_DAYS = 36_500  # days


class CredentialKind(StrEnum):
    MANAGED_IDENTITY = "managed-identity"
    DEFAULT = "default"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """Where Microsoft Graph is and how to sign in to it."""

    root: str
    scope: str
    authority: str
    credential: CredentialKind
    client_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Azure Storage, by connection string or else by three service addresses and an identity."""

    connection_string: str | None = None
    queue_uri: str = ""
    blob_uri: str = ""
    table_uri: str = ""
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """Where callbacks may go, and what they are signed with."""

    hosts: tuple[HostPattern, ...] = ()
    keys: tuple[SigningKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """How decisions are made.

    Attributes:
        oldest_index: the age of a sweep's index that may still answer; nothing is for none.
        denies_gaps: whether what is not known is denied, instead of left to a review.
        allows_unknown: whether a subject that nothing vouches for is taken for a new subject.
    """

    oldest_index: timedelta
    denies_gaps: bool
    allows_unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    graph: GraphSettings
    decisions: DecisionSettings
    notifications: NotificationSettings
    callers: CallerSettings
    rules: str
    enforcement: Enforcement
    max_reference_writes: int
    max_writes_per_day: int
    max_subjects: int
    prune: bool
    holds_selection_changes: bool
    confirm_conflicts: bool
    sweep_schedule: str
    requests_per_10s: int
    findings_retention: timedelta


def _read_all(reader: EnvironmentReader) -> Settings:
    return Settings(
        graph=_read_graph(reader),
        decisions=_read_decisions(reader),
        notifications=_read_notifications(reader),
        callers=_read_callers(reader),
        rules=_read_rules(reader),
        enforcement=reader.choice(
            "ENFORCEMENT", {each.name.lower(): each for each in Enforcement}, "plan"
        ),
        max_reference_writes=reader.whole_number("MAX_REFERENCE_WRITES", default=50),
        max_writes_per_day=reader.whole_number("MAX_REFERENCE_WRITES_PER_DAY", default=200),
        max_subjects=reader.whole_number("MAX_SUBJECTS_AFFECTED", default=500),
        prune=reader.flag("PRUNE", default=False),
        holds_selection_changes=reader.choice(
            "SELECTION_CHANGES", {"hold": True, "write": False}, "hold"
        ),
        confirm_conflicts=reader.flag("CONFIRM_CONFLICTS", default=True),
        sweep_schedule=reader.parsed(
            "SWEEP_SCHEDULE",
            DEFAULT_SWEEP_SCHEDULE,
            _schedule,
            "an NCRONTAB expression of six fields, such as '0 0 2 * * *'",
        ),
        requests_per_10s=reader.whole_number(
            "GRAPH_REQUESTS_PER_10S", default=100, minimum=1, maximum=MAX_GRAPH_RATE
        ),
        findings_retention=timedelta(
            days=reader.whole_number(
                "FINDINGS_RETENTION_DAYS",
                default=DEFAULT_RETENTION_DAYS,
                minimum=1,
                maximum=_MAX_RETENTION_DAYS,
                unit="days",
            )
        ),
    )


def _read_storage(reader: EnvironmentReader) -> StorageSettings:
    uris = {
        service: reader.text(f"{STORAGE}__{service}ServiceUri").rstrip("/")
        for service in ("queue", "blob", "table")
    }
    connection = reader.text(STORAGE)
    if connection and any(uris.values()):
        reader.add_problem(
            f"{STORAGE} and {STORAGE}__*ServiceUri contradict each other: set one of the two."
        )
    if not connection:
        _require_uris(reader, uris)
    return StorageSettings(
        connection_string=connection or None,
        queue_uri=uris["queue"],
        blob_uri=uris["blob"],
        table_uri=uris["table"],
        client_id=reader.text(f"{STORAGE}__clientId") or reader.text("AZURE_CLIENT_ID") or None,
    )


def _read_notifications(reader: EnvironmentReader) -> NotificationSettings:
    in_local_world = is_loopback(reader.text("GRAPH_ROOT"))
    return NotificationSettings(
        hosts=reader.parsed(
            "CALLBACK_HOSTS",
            (),
            lambda text: parse_host_patterns(text, in_local_world=in_local_world),
            "host names or suffixes such as *.logic.azure.com, with commas between; an address of "
            "this machine only with a loopback GRAPH_ROOT",
        ),
        keys=reader.parsed(
            "WEBHOOK_SIGNING_KEYS",
            (),
            parse_signing_keys,
            "one or two keys, newest first: whsec_ and base64 of 24 to 64 bytes each",
        ),
    )


def _read_callers(reader: EnvironmentReader) -> CallerSettings:
    is_open = reader.text("CALLER_KEYS") == ANYONE
    if is_open and not is_loopback(reader.text("GRAPH_ROOT")):
        reader.add_problem(
            f"CALLER_KEYS={ANYONE} contradicts GRAPH_ROOT: authentication is off in a local world "
            "only, that is with a loopback address."
        )
    return CallerSettings(
        # The platform's own setting. With any other value it does not write those headers for us.
        trusts_platform=reader.text("WEBSITE_AUTH_ENABLED").lower() == "true",
        keys=()
        if is_open
        else reader.parsed(
            "CALLER_KEYS",
            (),
            parse_caller_keys,
            "entries such as servicenow:SHA256, the digest in 64 small hex digits, with spaces "
            "between",
        ),
        is_open=is_open,
        requests_per_minute=reader.whole_number(
            "CALLER_REQUESTS_PER_MINUTE", default=600, minimum=1, maximum=_MAX_RATE
        ),
    )


def _read_decisions(reader: EnvironmentReader) -> DecisionSettings:
    minutes = reader.whole_number("DECISION_INDEX_MINUTES", default=15, unit="minutes")
    return DecisionSettings(
        oldest_index=timedelta(minutes=minutes),
        denies_gaps=reader.choice("DECISION_ON_GAPS", {"review": False, "deny": True}, "review"),
        allows_unknown=reader.choice(
            "DECISION_ON_UNKNOWN_SUBJECT", {"review": False, "allow": True}, "review"
        ),
    )


def read_webhook_sources(environment: Mapping[str, str], app_folder: Path) -> WebhookSources:
    """Read who may send webhooks; apart from the rest, for a mistake there closes nothing else.

    Args:
        environment: with the secrets as well, by the names that WEBHOOKS gives.
        app_folder: where a file is looked for that WEBHOOKS names.

    Raises:
        ConfigurationError: naming each mistake with its place.
    """
    if not environment.get("WEBHOOKS", "").strip():
        return {}
    from entra_sod.domain.webhooks.config import parse_sources, source_file

    # Untouched, so that the lines of its mistakes are those that its owner sees.
    return parse_sources(source_file(environment["WEBHOOKS"], app_folder), environment)


def _require_uris(reader: EnvironmentReader, uris: Mapping[str, str]) -> None:
    if not any(uris.values()):
        reader.add_problem(
            f"{STORAGE} is not set: give a connection string, or {STORAGE}__queueServiceUri, "
            f"{STORAGE}__blobServiceUri and {STORAGE}__tableServiceUri for an identity."
        )
        return
    for service, uri in uris.items():
        name = f"{STORAGE}__{service}ServiceUri"
        if not uri:
            reader.add_problem(f"{name} is not set, though its siblings are.")
        elif not is_https(uri):
            reader.add_problem(f"{name} must be an https address.")


def _read_graph(reader: EnvironmentReader) -> GraphSettings:
    root, authority = reader.choice("GRAPH_CLOUD", CLOUDS, "global")
    scope = f"{root}/.default"
    own_root = reader.text("GRAPH_ROOT").rstrip("/")
    if own_root:
        root = _checked_root(reader, own_root)
    kinds = {each.value: each for each in CredentialKind}
    credential = reader.choice("GRAPH_CREDENTIAL", kinds, CredentialKind.MANAGED_IDENTITY)
    if credential is CredentialKind.LOCAL and not is_loopback(root):
        reader.add_problem(
            "GRAPH_CREDENTIAL=local contradicts GRAPH_ROOT: its fixed token goes to a loopback "
            "address only."
        )
    client_id = reader.parsed("AZURE_CLIENT_ID", "", lambda value: str(UUID(value)), "a GUID")
    return GraphSettings(
        root=root,
        scope=scope,
        authority=authority,
        credential=credential,
        client_id=client_id or None,
    )


def _checked_root(reader: EnvironmentReader, root: str) -> str:
    parts = urlsplit(root)
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
    if not is_bare or not parts.hostname or parts.scheme not in ("http", "https"):
        reader.add_problem("GRAPH_ROOT must be a scheme and a host, such as https://host.")
    elif not is_https(root) and not is_loopback(root):
        reader.add_problem(
            "GRAPH_ROOT must be https unless its host is localhost, 127.0.0.1 or [::1]."
        )
    return root


def _read_rules(reader: EnvironmentReader) -> str:
    rules = reader.text("RULES", "rules")
    if rules.startswith("blob:") and not re.fullmatch(r"blob:[a-z0-9](-?[a-z0-9]){2,62}", rules):
        reader.add_problem("RULES must name a container of 3 to 63 characters after 'blob:'.")
    return rules


def _schedule(text: str) -> str:
    if len(text.split()) != 6:  # noqa: PLR2004 - second minute hour day month weekday
        raise ValueError(text)
    return text


# What reads everything that the app may be given, for the reference.
READERS = (_read_all, _read_storage)

# Each raises one ConfigurationError that names everything that is wrong with its settings. Storage
# is read apart from the rest, so that failures can be recorded. Delivery and callers are all that
# HTTP functions need.
read_settings = collecting(_read_all)
read_storage_settings = collecting(_read_storage)
read_notification_settings = collecting(_read_notifications)
read_caller_settings = collecting(_read_callers)
