"""Where the workflow definitions lie."""

import json
from typing import Any

from local.processes import CHECKOUT

FOLDER = CHECKOUT / "infra" / "logic-apps"


def definition(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content
