"""Which writes may come from another site, by the headers of the request."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.caller import CallerKind
from entra_sod.domain.callers.cross_site import PROOF, PROOF_HEADER, host_of, why_cross_site

HOSTS = frozenset({"app.example.com", "localhost:7071"})
OWN = {PROOF_HEADER: PROOF}
COOKIE = {"cookie": "AppServiceAuthSession=x"}
SIGNED_IN, KEY, ANYONE = CallerKind.PRINCIPAL, CallerKind.KEY, CallerKind.ANYONE


def why(headers: Mapping[str, str], kind: CallerKind = SIGNED_IN) -> str | None:
    return why_cross_site(Case(headers), kind, HOSTS)


class Case(dict[str, str]):
    """Headers that are found by names in any case, as those of a request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(name.lower(), default)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://app.example.com"},
        {"origin": "https://APP.example.com:443"},
        {"origin": "http://localhost:7071"},
        {"sec-fetch-site": "same-origin", **OWN},
        {"sec-fetch-site": "none", **COOKIE, **OWN},
        # A page behind a proxy of another name: the browser itself says that it is the same origin.
        {"sec-fetch-site": "same-origin", "origin": "https://front.example.com", **OWN},
        {**COOKIE, **OWN},
    ],
)
def test_a_write_of_the_apps_own_page_or_of_a_program_is_taken(headers: dict[str, str]) -> None:
    """Nothing speaks for another site, and a browser sends the header."""
    assert why(headers) is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"sec-fetch-site": "cross-site", **OWN}, "Sec-Fetch-Site: cross-site"),
        ({"sec-fetch-site": "same-site", **OWN}, "Sec-Fetch-Site: same-site"),
        ({"sec-fetch-site": "Cross-Site", **OWN}, "Sec-Fetch-Site"),
        ({"sec-fetch-site": "something new", **OWN}, "Sec-Fetch-Site"),
        ({"origin": "https://evil.example", **OWN}, "Origin"),
        ({"origin": "null", **OWN}, "Origin"),
        ({"origin": "https://app.example.com.evil.example", **OWN}, "Origin"),
        ({"origin": "https://app.example.com:8443", **OWN}, "Origin"),
        ({"origin": "https://[", **OWN}, "Origin"),
        ({"sec-fetch-site": "same-origin"}, PROOF_HEADER),
        ({"sec-fetch-mode": "cors"}, PROOF_HEADER),
        ({"sec-fetch-dest": "empty"}, PROOF_HEADER),
        ({"sec-fetch-user": "?1"}, PROOF_HEADER),
        (COOKIE, PROOF_HEADER),
        ({**COOKIE, PROOF_HEADER: "XMLHttpRequest"}, PROOF_HEADER),
        ({**COOKIE, "origin": "https://app.example.com"}, PROOF_HEADER),
    ],
)
@pytest.mark.parametrize("kind", [SIGNED_IN, ANYONE])
def test_a_write_that_another_site_may_have_sent_says_why(
    kind: CallerKind, headers: dict[str, str], said: str
) -> None:
    """A local world without authentication is asked the same."""
    assert said in (why(headers, kind) or "")


@pytest.mark.parametrize(
    "headers", [COOKIE, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_what_a_browser_never_adds_by_itself_is_proof_enough(headers: dict[str, str]) -> None:
    """A key, and a bearer token: a client may keep cookies beside it, or run in Node."""
    assert why(headers, KEY) is None
    assert why({**headers, "Authorization": "Bearer x.y.z"}) is None
    assert why({**headers, "Authorization": "Basic eDp5"}) is not None


@given(
    st.dictionaries(
        st.sampled_from(["cookie", "origin", "sec-fetch-site", "sec-fetch-mode"]),
        st.text(max_size=30).filter(bool),
        min_size=1,
    )
)
def test_no_form_passes(headers: dict[str, str]) -> None:
    """Whatever a browser sends for another site: it cannot send the header without consent."""
    assert why({**headers, "cookie": "x"}) is not None


@given(st.text(max_size=60))
def test_no_origin_is_an_error(origin: str) -> None:
    """Whatever stands there is a host, or none."""
    assert isinstance(host_of(origin), str)
