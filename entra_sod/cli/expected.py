"""The functions of this checkout, and what a host lists of them. Pure but for the import."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from azure.functions.decorators.function_app import Function

from entra_sod.services.doctor.diagnosis import Diagnosis, ok, wrong


@cache
def app_functions() -> Sequence[Function]:
    """All functions that this version of the app has; the library tells them once in a process."""
    from function_app import app

    return tuple(app.get_functions())


def expected_functions() -> frozenset[str]:
    """Their names."""
    return frozenset(str(each.get_function_name()) for each in app_functions())


def judge_functions(listed: Collection[str], expected: Collection[str]) -> Diagnosis:
    """Compare what the host lists with what this version has."""
    missing, extra = sorted(set(expected) - set(listed)), sorted(set(listed) - set(expected))
    if not listed:
        return wrong(
            "functions",
            "the host lists none",
            "The app fails while it is imported, or was deployed without its packages: see the "
            "host's log, and docs/operations.md, No functions.",
        )
    if not missing and not extra:
        return ok("functions", f"all {len(listed)}")
    words = [f"missing: {', '.join(missing)}"] if missing else []
    words += [f"not of this version: {', '.join(extra)}"] if extra else []
    return wrong("functions", "; ".join(words), "Deploy this version again, whole.")
