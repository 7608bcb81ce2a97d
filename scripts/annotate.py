"""Prints the problems of a SARIF log as GitHub shows them beside the lines of a pull request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote


def main(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for run in json.loads(text)["runs"] if text.strip() else ():
        for result in run["results"]:
            print(_command(result))
        for note in run["invocations"][0]["toolExecutionNotifications"]:
            print(f"::warning::{_escaped(f'not known: {note["message"]["text"]}')}")


def _command(result: dict[str, Any]) -> str:
    message = _escaped(result["message"]["text"])
    places = [
        f" file={_property(unquote(place['artifactLocation']['uri']))},"
        f"line={place['region']['startLine']},col={place['region']['startColumn']}"
        for each in result.get("locations", ())
        for place in [each["physicalLocation"]]
    ]
    return f"::{result['level']}{''.join(places)}::{message}"


def _escaped(text: str) -> str:
    """Return a text that cannot end a workflow command, or begin one."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
