"""The generated part of docs/reference/results.md: reasons of gaps."""

from __future__ import annotations

from entra_sod.domain.results.coverage import Reason
from local.reference.markdown import code, table


def reasons() -> str:
    return table(("reason", "meaning"), ((code(each), each.meaning) for each in Reason))
