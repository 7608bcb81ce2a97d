"""The simulated tenant of the Graph tests, for commands that look at one."""

from tests.adapters.graph.fixtures import few_certificates, simulator, started_simulator

__all__ = ["few_certificates", "simulator", "started_simulator"]
