"""What the worker's own indexing says, through processes of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local.host.errors import IndexingError
from local.host.indexing import CHECKOUT, index_apart
from tests.local.host.conftest import SAMPLE_APP, module_line

pytestmark = pytest.mark.host

REFUSED = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="msg", queue_name="in", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="out", connection="AzureWebJobsStorage")
def fan_out(msg: func.QueueMessage, out: func.Out[list[str]]) -> None: ...
"""


def write_app(folder: Path, text: str) -> Path:
    (folder / "function_app.py").write_text(text)
    (folder / "host.json").write_text('{"version": "2.0"}')
    return folder


def test_the_functions_of_an_app_are_listed() -> None:
    """Names and bindings come as the worker gives them, no setting needed."""
    listed = {each.name: each for each in index_apart(SAMPLE_APP, {"PATH": os.environ["PATH"]})}
    assert {"work", "work_poison", "tick", "echo", "send"} <= listed.keys()
    assert listed["work"].bindings[0]["queueName"] == "%WORK_QUEUE%"


def test_an_annotation_that_the_worker_rejects_is_told_in_its_words(tmp_path: Path) -> None:
    """Out[list[str]] would leave the real host with zero functions and a green deployment."""
    with pytest.raises(IndexingError, match=r"fan_out function.*invalid non-type annotation"):
        index_apart(write_app(tmp_path, REFUSED))


def test_an_exception_at_import_is_told_with_its_place(tmp_path: Path) -> None:
    """The stack trace names the line of the app."""
    with pytest.raises(IndexingError, match=r"function_app\.py(.|\n)*KeyError: 'MISSING'"):
        index_apart(write_app(tmp_path, "import os\nos.environ['MISSING']\n"))


def test_an_app_without_functions_is_refused(tmp_path: Path) -> None:
    """A blueprint without a registration is no error to the worker, so it is one here."""
    with pytest.raises(IndexingError, match="zero functions"):
        index_apart(
            write_app(tmp_path, "import azure.functions as func\napp = func.FunctionApp()\n")
        )


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    """So is a folder in which the worker finds nothing to load."""
    with pytest.raises(IndexingError, match="zero functions"):
        index_apart(tmp_path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "%WORK_QUEUE% is in a binding"),
        ({"WORK_QUEUE": "work"}, "setting AzureWebJobsStorage is missing"),
        ({"WORK_QUEUE": "w", "AzureWebJobsStorage": "nonsense"}, "is no connection string"),
        ({"WORK_QUEUE": "w", "LOCAL_HOST_INVISIBILITY_SECONDS": "soon"}, "whole seconds"),
    ],
)
def test_a_host_that_cannot_start_says_why(settings: dict[str, str], words: str) -> None:
    """It exits with 1 and a line without a stack trace."""
    base = {"PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - this interpreter, with arguments of this test
        module_line("--app", str(SAMPLE_APP), "--port", "0"),
        cwd=CHECKOUT,
        env=base | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_is_json_on_standard_output() -> None:
    """Nothing but the list is there, so a script can read it."""
    done = subprocess.run(  # noqa: S603 - this interpreter, with arguments of this test
        module_line("--list", "--app", str(SAMPLE_APP)),
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)[0]["name"] == "as_bytes"
