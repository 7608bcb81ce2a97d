from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.caller import UnknownCaller
from entra_sod.domain.notifications.signature import MAX_KEYS
from entra_sod.domain.webhooks.source import ReceivedWebhook, Scheme, SourceKind, WebhookSource
from entra_sod.domain.webhooks.verify import is_authentic, is_recent
from entra_sod.settings import read_webhook_sources
from tests.app import App
from tests.builders import held, package, rule, side
from tests.services.webhooks.corpus import CORPUS, Sent

SOURCES = read_webhook_sources(CORPUS.environment, Path())
NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNKNOWN = UnknownCaller("no credential")
NOW_SECONDS = int(NOW.timestamp())

type MakeApp = type[App]


def genuine(sent: Sent, *, source: WebhookSource | None = None) -> bool:
    headers = {name.lower(): value for name, value in sent.headers.items()}
    asked = source or SOURCES.get(sent.source)
    return is_authentic(asked, headers, sent.body.encode(), caller=UNKNOWN, now=NOW)


def make(make_app: MakeApp) -> App:
    packages = [package("a"), package("b")]
    people = {"a": held("a", "x"), "b": held("b", "x")}
    return make_app(packages, people, [rule("r", side("a"), side("b"))], **CORPUS.environment)


async def test_no_forged_webhook_of_the_corpus_is_taken(make_app: MakeApp) -> None:
    """Wrong keys, times, bytes, headers and sources: one answer for all, and nothing is queued."""
    app = make(make_app)
    answers = [await each.send() for each in CORPUS.forged]
    taken = [
        sent
        for sent, answer in zip(CORPUS.forged, answers, strict=True)
        if answer.status_code != 401
    ]
    print(f"Signature corpus: {len(CORPUS.forged)} forged webhooks, {len(taken)} got in")  # noqa: T201 - the count is asked for
    assert taken == []
    assert len({(answer.get_body(), str(dict(answer.headers))) for answer in answers}) == 1
    assert app.storage.sent == []
    assert len(CORPUS.forged) >= 250


async def test_the_genuine_webhooks_of_the_corpus_are_taken(make_app: MakeApp) -> None:
    """What the forged ones were made from gets in, by each key and to the edges of the time."""
    make(make_app)
    answers = [await each.send() for each in CORPUS.genuine]
    assert [answer.status_code for answer in answers] == [202] * len(answers)
    assert len(CORPUS.genuine) >= 10


class _Counted:
    """Counts what a verification computes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[str] = Counter()
        monkeypatch.setattr(hmac, "digest", self._wrap("digest", hmac.digest))
        monkeypatch.setattr(hmac, "compare_digest", self._wrap("compare", hmac.compare_digest))
        monkeypatch.setattr(hashlib, "sha256", self._wrap("sha256", hashlib.sha256))

    def _wrap(self, name: str, function: Any) -> Any:
        def counted(*args: Any) -> Any:
            self.calls[name] += 1
            return function(*args)

        return counted


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> _Counted:
    return _Counted(monkeypatch)


def test_every_refusal_computes_and_compares_as_much(counted: _Counted) -> None:
    """The work depends on how a source proves itself, and on nothing that was right or wrong.

    Senders may add signatures of Standard Webhooks, each of which is compared with each key.
    """
    work: dict[object, set[tuple[tuple[str, int], ...]]] = {}
    for sent in CORPUS.forged:
        source = SOURCES.get(sent.source)
        scheme = source.scheme if source else Scheme.HMAC_SHA256
        if "v1," in sent.headers.get("webhook-signature", "")[3:]:
            continue
        counted.calls.clear()
        genuine(sent)
        work.setdefault(scheme, set()).add(tuple(sorted(counted.calls.items())))
    assert {scheme: len(kinds) for scheme, kinds in work.items()} == dict.fromkeys(work, 1)
    compared = {dict(each).get("compare") for kinds in work.values() for each in kinds}
    assert compared == {MAX_KEYS, None}
    assert work.keys() == set(Scheme)


def test_atlassians_own_example_is_taken() -> None:
    """The secret, body and signature of Jira's documentation."""
    sent = Sent(
        source="jira",
        what="documented",
        headers={
            "X-Hub-Signature": "sha256="
            "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
        },
        body="Hello World!",
    )
    environment = {
        "WEBHOOKS": "x: {kind: generic, verify: hmac-sha256, secrets: [S]}",
        "S": "It's a Secret to Everybody",
    }
    assert genuine(sent, source=read_webhook_sources(environment, Path())["x"])


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    """One byte of the body or of a header that proves something, whatever it becomes."""
    sent = data.draw(
        st.sampled_from(
            [each for each in CORPUS.genuine if len(each.headers) == 1] + CORPUS.genuine[3:5]
        )
    )
    source = SOURCES[sent.source]
    signs_body = source.scheme in (Scheme.HMAC_SHA256, Scheme.STANDARD_WEBHOOKS)
    places = [*sent.headers, *(["body"] if signs_body else [])]
    place = data.draw(st.sampled_from(places))
    text = sent.body if place == "body" else sent.headers[place]
    index = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.characters(min_codepoint=32, max_codepoint=255).filter(
            lambda character: character != text[index]
        )
    )
    changed = text[:index] + other + text[index + 1 :]
    if place == "body":
        forged = Sent(sent.source, "changed", sent.headers, changed)
    else:
        forged = Sent(sent.source, "changed", {**sent.headers, place: changed}, sent.body)
    assert genuine(sent)
    assert not genuine(forged)


@given(st.sampled_from(list(SOURCES.values())), st.dictionaries(st.text(), st.text()), st.binary())
def test_nothing_made_up_is_genuine(
    source: WebhookSource, headers: dict[str, str], body: bytes
) -> None:
    """Any text in any header, those of the proof among them, is refused without an error."""
    proof = [source.header or "authorization", "webhook-id", "webhook-timestamp"]
    filled = {**dict(zip(proof, headers.values(), strict=False)), **headers}
    assert not is_authentic(source, filled, body, caller=UNKNOWN, now=NOW)


def test_a_source_without_keys_proves_nothing() -> None:
    """Should a source ever come without a secret, it is closed."""
    for scheme in Scheme:
        source = WebhookSource(
            name="x", kind=SourceKind.GENERIC, scheme=scheme, header="h", keys=()
        )
        headers = {"h": "", "authorization": "", "webhook-id": "1", "webhook-timestamp": "0"}
        assert not is_authentic(source, headers, b"", caller=UNKNOWN, now=NOW)


def brought(stamp: object) -> ReceivedWebhook:
    return ReceivedWebhook(value={"timestamp": stamp})


@pytest.mark.parametrize(
    ("age", "fresh"),
    [(-301, False), (-300, True), (0, True), (3600, True), (3601, False)],
)
@pytest.mark.parametrize("form", ["seconds", "milliseconds", "text"])
def test_a_time_in_the_body_is_near_or_old(age: int, form: str, *, fresh: bool) -> None:
    """From five minutes ahead to an hour old, however it is written; none at all is no reason."""
    moment = NOW - timedelta(seconds=age)
    seconds = int(moment.timestamp())
    written = {"seconds": seconds, "milliseconds": seconds * 1000, "text": moment.isoformat()}
    assert is_recent(brought(written[form]), SOURCES["jira"], NOW) is fresh
    assert is_recent(brought(None), SOURCES["jira"], NOW)


@given(
    st.none()
    | st.booleans()
    | st.integers(max_value=NOW_SECONDS - 3601)
    | st.integers(min_value=NOW_SECONDS + 301, max_value=(NOW_SECONDS - 3601) * 1000)
    | st.integers(min_value=(NOW_SECONDS + 301) * 1000)
    | st.integers(min_value=300, max_value=5_000).map(lambda digits: 10**digits)
    | st.floats(allow_infinity=True, max_value=NOW_SECONDS - 3601)
    | st.text(max_size=8)
    | st.lists(st.integers())
)
def test_no_other_time_is_fresh(stamp: object) -> None:
    """Numbers without a limit, and what is no time, are refused without an error."""
    assert is_recent(brought(stamp), SOURCES["jira"], NOW) is (stamp is None)
