"""Fixtures of the tests of sweeps: those of the Graph door, on a simulator of its own."""

from tests.adapters.graph.fixtures import connect, few_certificates, simulator, started_simulator

__all__ = ["connect", "few_certificates", "simulator", "started_simulator"]
