from __future__ import annotations

import re
from pathlib import Path

import pytest

from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.webhooks.source import Scheme, SourceKind, WebhookField, WebhookSource
from entra_sod.settings import read_webhook_sources
from tests.services.webhooks.sender import SETTINGS, STANDARD_SECRET

POINTER = "must be a JSON pointer, such as /issue/fields/customfield_10201."
MAPPED = "fields: {accessPackageId: /a, subject: /s}"


def read(text: str, folder: Path = Path(), **settings: str) -> dict[str, WebhookSource]:
    environment = {**SETTINGS, **settings, "WEBHOOKS": text}
    return dict(read_webhook_sources(environment, folder))


def problems(text: str, **settings: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(text, Path(), **settings)
    return caught.value.problems


def test_without_the_setting_nothing_may_send() -> None:
    """No setting, and an empty one, are no source."""
    assert read_webhook_sources({}, Path()) == {}
    assert read(" ") == {}


def test_a_kind_needs_no_more_than_its_secret() -> None:
    """Each kind proves itself, and says its fields, in its own way unless told otherwise."""
    sources = read("{generic: {secrets: [KEY]}, servicenow: {}, cloudevents: {secrets: [LOGIN]}}")
    schemes = {name: source.scheme for name, source in sources.items()}
    assert schemes == {
        "generic": Scheme.STANDARD_WEBHOOKS,
        "servicenow": Scheme.ENTRA,
        "cloudevents": Scheme.BEARER,
    }
    assert sources["servicenow"].fields[WebhookField.SUBJECT] == ("EntraUserObjectId",)
    assert sources["generic"].fields[WebhookField.SUBJECT] == ("subject",)


def test_custom_fields_are_mapped_beside_the_kinds_own() -> None:
    """Jira's custom fields have another number on every site; its key is where it always is."""
    [source] = read(f"jira-eu: {{kind: jira, secrets: [JIRA_SECRET], {MAPPED}}}").values()
    assert (source.kind, source.header) == (SourceKind.JIRA, "x-hub-signature")
    assert source.fields == {
        WebhookField.ACCESS_PACKAGE_ID: ("a",),
        WebhookField.SUBJECT: ("s",),
        WebhookField.REFERENCE: ("issue", "key"),
        WebhookField.TIMESTAMP: ("timestamp",),
    }


def test_json_is_read_as_well_as_yaml() -> None:
    """An app setting may hold either."""
    text = '{"generic": {"verify": "hmac-sha256", "header": "X-Sig", "secrets": ["JIRA_SECRET"]}}'
    assert read(text)["generic"].header == "x-sig"


def test_a_file_is_read_from_the_apps_folder(tmp_path: Path) -> None:
    """A name of a file stands for what is in it, and its mistakes have the file's name."""
    (tmp_path / "hooks.yaml").write_text("generic:\n  secrets: [KEY]\n")
    assert list(read("hooks.yaml", tmp_path)) == ["generic"]
    (tmp_path / "hooks.yaml").write_text("generic:\n  secret: [KEY]\n")
    with pytest.raises(ConfigurationError, match=r"hooks\.yaml:2:3: generic\.secret is not known"):
        read("hooks.yaml", tmp_path)
    with pytest.raises(ConfigurationError, match="WEBHOOKS names a file that cannot be read"):
        read("other.yaml", tmp_path)


def test_every_mistake_is_named_with_its_place() -> None:
    """All at once, by line and column."""
    text = """
jira:
  secrets: [NOT_SET]
  fields: {subject: issue/fields}
generic:
  secrets: [KEY, KEY, KEY]
  header: X-Sig
  origins: [eventgrid.azure.net]
desk: {}
"""
    assert problems(text) == (
        "WEBHOOKS:3:13: jira.secrets.0 names an app setting that is not set.",
        "WEBHOOKS:4:11: jira.fields.accessPackageId is missing.",
        f"WEBHOOKS:4:21: jira.fields.subject {POINTER}",
        "WEBHOOKS:6:12: generic.secrets must name one app setting, or 2 while keys change.",
        "WEBHOOKS:7:11: generic.header is not used with verify: standard-webhooks.",
        "WEBHOOKS:8:12: generic.origins are used with kind: cloudevents only.",
        "WEBHOOKS:9:7: desk needs a kind: jira, servicenow, generic, cloudevents.",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not YAML"),
        ("7", "must be an object"),
        ("generic: {secrets: KEY}", "generic.secrets must be a list"),
        ("generic: {secrets: [KEY]}\ngeneric: {secrets: [KEY]}", "given twice"),
        ("generic: {verify: none, secrets: [KEY]}", "generic.verify must be standard-webhooks"),
        ("generic: {secrets: []}", "generic.secrets must name"),
        ("generic: {}", "generic.secrets must name"),
        ("generic: {secrets: [KEY], fields: {user: /x}}", "generic.fields.user is not known"),
        ("generic: {secrets: [KEY], fields: {subject: ''}}", "must be a JSON pointer"),
        ("generic: {verify: entra, secrets: [KEY]}", "are not used with verify: entra"),
        ("generic: {verify: header, header: 'a b', secrets: [JIRA_SECRET]}", "name of a header"),
        ("generic: {verify: basic, secrets: [JIRA_SECRET]}", "no user name and password"),
        ("generic: {verify: bearer, secrets: [SHORT]}", "less than 16 characters"),
        ("generic: {secrets: [JIRA_SECRET]}", "no whsec_"),
        ("cloudevents: {secrets: [LOGIN], origins: ['a/b']}", "must be a name such as"),
        ("Generic: {kind: generic, secrets: [KEY]}", "must be lower-case letters"),
        ("a/b: {kind: generic, secrets: [KEY]}", "must be lower-case letters"),
        ("jira: {secrets: [JIRA_SECRET]}", "jira.fields.accessPackageId is missing"),
        ("jira: {secrets: [JIRA_SECRET], fields: {accessPackageId: /a}}", "must say where"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, words: str) -> None:
    """Whatever is wrong is an error of the whole setting, and closes every source."""
    assert words in " ".join(problems(text, SHORT="x" * 15))


@pytest.mark.parametrize(
    "text",
    [
        f"generic: {{secrets: ['{STANDARD_SECRET}']}}",
        "generic: {verify: bearer, secrets: [hunter-2-hunter-2]}",
        "generic: {verify: bearer, secrets: [hunter2hunter2hunter2]}",
    ],
)
def test_a_secret_in_the_place_of_its_name_is_not_repeated(text: str) -> None:
    """An operator will make this mistake, and the error ends in a log."""
    [problem] = problems(text)
    assert "app setting" in problem
    assert "whsec" not in problem
    assert "hunter" not in problem


def test_a_secrets_value_is_in_no_error_and_no_repr() -> None:
    """Neither a wrong secret nor a right one is shown."""
    assert "too-short" not in " ".join(problems("generic: {secrets: [KEY]}", KEY="too-short"))
    assert "a key of" not in repr(read("generic: {secrets: [KEY]}"))


def test_every_example_of_the_documentation_can_be_used() -> None:
    """With its secrets set, as the page says."""
    page = (Path(__file__).parents[3] / "docs/how-to/receive-webhooks.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    secrets = dict.fromkeys(re.findall(r"[A-Z_]{6,}", "".join(examples)), STANDARD_SECRET)
    names = [name for example in examples for name in read(example, Path(), **secrets)]
    assert names == ["jira", "automation", "servicenow", "generic", "gateway", "cloudevents"]
