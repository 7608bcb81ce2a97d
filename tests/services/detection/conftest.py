"""Fixtures of the tests of detection: those of the Graph door, on a simulator of its own."""

from tests.adapters.graph.fixtures import (
    client,
    connect,
    few_certificates,
    simulator,
    started_simulator,
)

__all__ = ["client", "connect", "few_certificates", "simulator", "started_simulator"]
