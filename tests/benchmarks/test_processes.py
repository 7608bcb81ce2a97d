"""Measured processes, seen from outside."""

import os
import subprocess

import pytest

from benchmarks.processes import child_environment, measure, peak_memory


def test_a_child_is_measured_at_each_point() -> None:
    """In order, with what it held and what it said."""
    points = measure("import_modules", "decimal")
    assert [each.name for each in points] == ["start", "decimal"]
    assert all(each.peak >= each.resident > 0 for each in points)
    assert points[1].facts["modules"] > 0


def test_a_failing_child_is_no_measurement(capfd: pytest.CaptureFixture[str]) -> None:
    """Its own words are on stderr."""
    with pytest.raises(subprocess.CalledProcessError):
        measure("import_modules", "no_such_module")
    assert "no_such_module" in capfd.readouterr().err


def test_children_keep_their_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise every import is a compilation."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in child_environment()
    assert child_environment({"A": "b"})["A"] == "b"


def test_the_peak_of_a_process() -> None:
    """At least what an interpreter needs."""
    assert peak_memory(os.getpid()) > 2**20
