from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import msgspec
import pytest

from entra_sod.services.report.render import policy, render
from entra_sod.services.report.view import ReportView


def data_of(page: str) -> dict[str, Any]:
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_same_view_is_the_same_file(small_view: ReportView) -> None:
    """Rendering is a function of the view alone."""
    assert render(small_view) == render(small_view)


def test_the_policy_lets_nothing_in_but_its_own(small_view: ReportView) -> None:
    """Nothing is allowed but one script and one style, by hashes of what stands in the file."""
    page = render(small_view).decode()
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    hashes = [
        base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()
        for each in (script, style)
    ]
    assert policy().split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{hashes[0]}'",
        f"style-src 'sha256-{hashes[1]}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert f'http-equiv="Content-Security-Policy" content="{policy()}"' in page


def test_it_refers_to_nothing_outside(small_view: ReportView) -> None:
    """No address but the namespace of SVG, and links that a reader may follow."""
    addresses = set(re.findall(r"https?://[^\s\"'<]+", render(small_view).decode()))
    assert small_view.portal is not None
    links = set(msgspec.structs.astuple(small_view.portal))
    assert addresses == {"http://www.w3.org/2000/svg", *links}


def test_all_findings_are_in_it(small_view: ReportView) -> None:
    """Each with its rule, person and packages, though every text is written once."""
    data = data_of(render(small_view).decode())
    packages = [each[0] for each in data["packages"]]
    found = {
        (row[0], data["words"][row[1]], *data["subjects"][row[3]], *(packages[i] for i in row[2]))
        for row in data["findings"]
    }
    assert found == {
        (
            *(each.id, each.rule, each.subject_id, each.object_id, each.display_name),
            each.subject_type,
            *each.pair,
        )
        for each in small_view.findings
    }


@pytest.mark.parametrize("name", ["</script>", "<!--<script>", "&amp;", "\u2028", "\u2029"])
def test_a_name_cannot_end_the_data(small_view: ReportView, name: str) -> None:
    """What could close the element or a line is escaped, and read back as it was."""
    packages = [msgspec.structs.replace(each, name=name) for each in small_view.packages]
    page = render(msgspec.structs.replace(small_view, packages=packages)).decode()
    data = data_of(page)
    assert {each[1] for each in data["packages"]} == {name}
    assert name not in page[page.index('id="data">') : page.rindex("<script>")].removesuffix(
        "</script>\n"
    )
