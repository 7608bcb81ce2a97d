"""Fixtures of the tests of the Graph door; `fixtures.py` describes them."""

from tests.adapters.graph.fixtures import (
    client,
    connect,
    few_certificates,
    identity,
    other_server,
    served,
    server,
    simulator,
    started_simulator,
    waits,
)

__all__ = [
    "client",
    "connect",
    "few_certificates",
    "identity",
    "other_server",
    "served",
    "server",
    "simulator",
    "started_simulator",
    "waits",
]
