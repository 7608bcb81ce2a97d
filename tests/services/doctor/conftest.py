"""The simulated tenant of the Graph tests, for the doctor to look at."""

from tests.adapters.graph.fixtures import few_certificates, simulator, started_simulator

__all__ = ["few_certificates", "simulator", "started_simulator"]
