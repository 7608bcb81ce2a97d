from __future__ import annotations

import pytest

from functions.errors import ConfigurationError
from functions.settings import (
    CLOUDS,
    CredentialKind,
    Enforcement,
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
        "PRUNE": "maybe",
        "SWEEP_SCHEDULE": "every night",
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings(wrong)
    assert {problem.split(" ")[0] for problem in caught.value.problems} == set(wrong)
    assert "always" not in str(caught.value)


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
