"""What is asked of the Azure CLI, by a stand-in that writes down how it was called."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from entra_sod.cli.azure_cli import functions_of, newest_role_of, synchronize
from entra_sod.cli.running_app import AppError
from entra_sod.cli.wait_for_roles import main, seconds_to_wait

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
STAND_IN = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answer = json.loads((here / "answer").read_text())
sys.stdout.write(answer["out"])
sys.exit(answer["code"])
"""


class Az:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer("")
        program = folder / "az"
        program.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)

    def answer(self, out: str, code: int = 0) -> None:
        (self.folder / "answer").write_text(json.dumps({"out": out, "code": code}))

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Az:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "sub-1")
    monkeypatch.setenv("AZURE_FUNCTION_APP_NAME", "func-1")
    monkeypatch.setenv("AZURE_RESOURCE_GROUP", "rg-1")
    return Az(tmp_path)


async def test_every_call_names_azds_subscription(az: Az) -> None:
    """The Azure CLI's own default may be another; nothing is asked there."""
    az.answer("func-1/a\nfunc-1/b\n")
    await functions_of("func-1", "rg-1")
    await synchronize()
    az.answer('{"value": []}')
    await newest_role_of("id-1")
    assert [call[-2:] for call in az.calls()] == [["--subscription", "sub-1"]] * 3


async def test_what_flex_lists_before_it_knows_the_app_is_no_function(az: Az) -> None:
    """`WarmUp` is the platform's own, alone or beside the app's."""
    az.answer("func-1/WarmUp\nfunc-1/a\n")
    assert await functions_of("func-1", "rg-1") == ["a"]


async def test_azure_is_told_to_look_which_functions_there_are(az: Az) -> None:
    """A POST as the portal's Refresh sends it; on Windows no & may stand in the address."""
    await synchronize()
    (call,) = az.calls()
    assert call[:3] == ["rest", "--method", "post"]
    site = "/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.Web/sites/func-1"
    assert call[4] == f"{site}/host/default/sync"
    assert not [each for each in call if "&" in each]


async def test_a_refused_synchronization_is_left_to_the_next_look(az: Az) -> None:
    """An operator who may only read still gets the smoke test's own answer."""
    az.answer("", code=1)
    await synchronize()
    with pytest.raises(AppError):
        await functions_of("func-1", "rg-1")


async def test_the_newest_role_counts(az: Az) -> None:
    """Of an identity with several roles, and with Azure's seven digits of a second."""
    times = ("2026-11-01T11:00:00.1234567Z", "2026-11-01T11:59:30.0000000Z")
    az.answer(json.dumps({"value": [{"properties": {"createdOn": each}} for each in times]}))
    assert await newest_role_of("id-1") == NOW - timedelta(seconds=30)
    assert "$filter=principalId eq 'id-1'" in az.calls()[0]


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 180), (30, 150), (180, 0), (3600, 0), (-3600, 180)]
)
def test_a_role_is_waited_for_until_it_is_three_minutes_old(age: int, seconds: int) -> None:
    """Never longer than that, whatever the machine's clock says; later runs wait for nothing."""
    assert seconds_to_wait(NOW - timedelta(seconds=age), NOW) == seconds
    assert seconds_to_wait(None, NOW) == 0


def test_a_wait_that_cannot_know_fails_no_deployment(
    az: Az, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what to do when the upload is refused, and lets azd go on."""
    monkeypatch.setenv("PACKAGE_IDENTITY_PRINCIPAL_ID", "id-1")
    az.answer("no", code=1)
    assert main() == 0
    az.answer("no JSON")
    assert main() == 0
    assert capsys.readouterr().err.count("run it again after a few minutes") == 2
