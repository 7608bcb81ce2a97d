from __future__ import annotations

from datetime import timedelta

import pytest

from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.settings import (
    CLOUDS,
    CredentialKind,
    DecisionSettings,
    read_caller_settings,
    read_notification_settings,
    read_settings,
    read_storage_settings,
)

URIS = {
    f"AzureWebJobsStorage__{service}ServiceUri": f"https://a.{service}.example"
    for service in ("queue", "blob", "table")
}


def test_an_empty_environment_is_the_careful_default() -> None:
    """Without settings: the global cloud, a managed identity, plan only, no pruning."""
    settings = read_settings({})
    assert settings.graph.root == "https://graph.microsoft.com"
    assert settings.graph.credential is CredentialKind.MANAGED_IDENTITY
    assert (settings.enforcement, settings.prune) == (Enforcement.PLAN, False)
    assert (settings.max_reference_writes, settings.rules) == (50, "rules")
    assert settings.requests_per_10s == 100
    assert settings.decisions == DecisionSettings(
        oldest_index=timedelta(minutes=15), denies_gaps=False, allows_unknown=False
    )


def test_decisions_may_deny_what_is_not_known_and_use_no_index() -> None:
    """Both settings at their strictest."""
    strict = {"DECISION_ON_GAPS": "deny", "DECISION_INDEX_MINUTES": "0"}
    assert read_settings(strict).decisions == DecisionSettings(
        oldest_index=timedelta(0), denies_gaps=True, allows_unknown=False
    )


def test_an_unknown_subject_may_be_allowed() -> None:
    """For a tenant in which new subjects must be served at once."""
    settings = read_settings({"DECISION_ON_UNKNOWN_SUBJECT": "allow"})
    assert settings.decisions.allows_unknown


@pytest.mark.parametrize(
    "wrong",
    [
        {"DECISION_ON_GAPS": "allow"},
        {"DECISION_INDEX_MINUTES": "-1"},
        {"DECISION_ON_UNKNOWN_SUBJECT": "deny"},
    ],
    ids=str,
)
def test_a_wrong_setting_of_decisions_is_named(wrong: dict[str, str]) -> None:
    """Gaps are never allowed, and no index is fresh before its time."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        read_settings(wrong)


@pytest.mark.parametrize("rate", ["1", "130000"])
def test_the_rate_is_a_number_of_requests(rate: str) -> None:
    """From one request in ten seconds to what Graph takes of an app in all tenants together."""
    assert read_settings({"GRAPH_REQUESTS_PER_10S": rate}).requests_per_10s == int(rate)


@pytest.mark.parametrize("rate", ["0", "130001", "1000000000", "-1", "ten", "1.5"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    """Nothing, too much, and what is no whole number."""
    with pytest.raises(ConfigurationError, match="GRAPH_REQUESTS_PER_10S"):
        read_settings({"GRAPH_REQUESTS_PER_10S": rate})


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_sets_root_scope_and_authority_together(cloud: str) -> None:
    """The token is asked for the same host that it is sent to."""
    graph = read_settings({"GRAPH_CLOUD": cloud}).graph
    assert graph.scope == f"{graph.root}/.default"
    assert (graph.root, graph.authority) == CLOUDS[cloud]


def test_every_wrong_setting_is_named_in_one_error() -> None:
    """All problems come at once, by name and without the values."""
    wrong = {
        "GRAPH_CLOUD": "moon",
        "GRAPH_ROOT": "http://graph.example.com",
        "GRAPH_CREDENTIAL": "password",
        "AZURE_CLIENT_ID": "me",
        "RULES": "blob:X",
        "ENFORCEMENT": "always",
        "MAX_REFERENCE_WRITES": "-1",
        "MAX_SUBJECTS_AFFECTED": "a few",
        "PRUNE": "maybe",
        "SWEEP_SCHEDULE": "every night",
        "GRAPH_REQUESTS_PER_10S": "0",
        "CALLBACK_HOSTS": "*",
        "WEBHOOK_SIGNING_KEYS": "whsec_no-key",
        "CALLER_KEYS": "jira:open-sesame",
        "CALLER_REQUESTS_PER_MINUTE": "0",
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings(wrong)
    assert {problem.split(" ")[0] for problem in caught.value.problems} == set(wrong)
    assert "always" not in str(caught.value)
    assert "no-key" not in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "root",
    [
        "http://graph.microsoft.com",
        "https://user@graph.microsoft.com",
        "https://graph.microsoft.com/v1.0",
        "ftp://localhost",
        "graph.microsoft.com",
        "http://127.0.0.1.evil.example",
        "http://2130706433",
        "http://127.0.0.2",
    ],
)
def test_a_root_that_could_leak_the_token_is_refused(root: str) -> None:
    """Plain http goes to loopback addresses only, and a root is a scheme and a host."""
    with pytest.raises(ConfigurationError, match="GRAPH_ROOT"):
        read_settings({"GRAPH_ROOT": root})


@pytest.mark.parametrize("root", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
def test_a_loopback_root_may_be_http(root: str) -> None:
    """The simulator is reached by plain http on the machine itself."""
    assert read_settings({"GRAPH_ROOT": root + "/"}).graph.root == root


def test_the_fixed_token_is_for_loopback_only() -> None:
    """GRAPH_CREDENTIAL=local against a real root is a contradiction."""
    with pytest.raises(ConfigurationError, match="contradicts"):
        read_settings({"GRAPH_CREDENTIAL": "local"})
    read_settings({"GRAPH_CREDENTIAL": "local", "GRAPH_ROOT": "http://localhost:1"})


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "AzureWebJobsStorage is not set"),
        ({"AzureWebJobsStorage": "x", **URIS}, "contradict"),
        (dict(list(URIS.items())[:2]), "AzureWebJobsStorage__tableServiceUri is not set"),
        (
            {**URIS, "AzureWebJobsStorage__blobServiceUri": "http://a.example"},
            "blobServiceUri must be an https address",
        ),
    ],
)
def test_storage_that_cannot_be_reached_by_one_clear_way_is_refused(
    environment: dict[str, str], words: str
) -> None:
    """Neither, both, half or plain http: each is said with the setting's name."""
    with pytest.raises(ConfigurationError, match=words):
        read_storage_settings(environment)


def test_storage_by_identity_takes_the_apps_client_id() -> None:
    """The user-assigned identity is used for storage, too, unless another is named."""
    settings = read_storage_settings({**URIS, "AZURE_CLIENT_ID": "id"})
    assert (settings.client_id, settings.connection_string) == ("id", None)


def test_nothing_is_called_back_by_default() -> None:
    """Without the settings no host is allowed, and there is no key."""
    settings = read_notification_settings({})
    assert (settings.hosts, settings.keys) == ((), ())


def test_delivery_is_read_without_the_rest() -> None:
    """A wrong setting of another kind does not stand in the way of accepting a callback."""
    settings = read_notification_settings(
        {"ENFORCEMENT": "always", "CALLBACK_HOSTS": " *.logic.azure.com , hooks.example.com:8443,"}
    )
    assert [(each.host, each.is_suffix, each.port) for each in settings.hosts] == [
        ("logic.azure.com", True, None),
        ("hooks.example.com", False, 8443),
    ]


@pytest.mark.parametrize("root", ["", "https://graph.microsoft.com", "https://127.0.0.1.evil.com"])
def test_this_machine_is_called_in_a_local_world_only(root: str) -> None:
    """A loopback address in CALLBACK_HOSTS contradicts a Graph root that is not loopback."""
    hosts = {"CALLBACK_HOSTS": "127.0.0.1:9000"}
    with pytest.raises(ConfigurationError, match="CALLBACK_HOSTS"):
        read_notification_settings({**hosts, "GRAPH_ROOT": root})
    assert (
        read_notification_settings({**hosts, "GRAPH_ROOT": "http://127.0.0.1:1"}).hosts[0].is_local
    )


def test_no_signing_key_is_shown() -> None:
    """Settings may end in a log or a traceback: the keys stay out of their repr."""
    key = "whsec_" + "c2VjcmV0" * 4
    assert "secret" not in repr(read_settings({"WEBHOOK_SIGNING_KEYS": key}))


def test_no_caller_is_known_by_default() -> None:
    """Without settings no header of the platform is believed, and no key is taken."""
    settings = read_caller_settings({})
    assert (settings.trusts_platform, settings.keys, settings.is_open) == (False, (), False)
    assert settings.requests_per_minute == 600


@pytest.mark.parametrize(
    ("value", "trusted"),
    [("True", True), ("true", True), ("", False), ("False", False), ("1", False), ("yes", False)],
)
def test_the_platform_is_believed_where_it_says_that_it_is_there(
    value: str,
    trusted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """App Service sets WEBSITE_AUTH_ENABLED to True; nothing else counts."""
    assert read_caller_settings({"WEBSITE_AUTH_ENABLED": value}).trusts_platform is trusted


@pytest.mark.parametrize("root", ["", "https://graph.microsoft.com", "https://127.0.0.1.evil.com"])
def test_everybody_is_let_in_in_a_local_world_only(root: str) -> None:
    """CALLER_KEYS=anyone contradicts a Graph root that is not on this machine."""
    with pytest.raises(ConfigurationError, match="CALLER_KEYS=anyone contradicts GRAPH_ROOT"):
        read_caller_settings({"CALLER_KEYS": "anyone", "GRAPH_ROOT": root})
    local = {"CALLER_KEYS": "anyone", "GRAPH_ROOT": "http://127.0.0.1:8080"}
    assert read_caller_settings(local).is_open
