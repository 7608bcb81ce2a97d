"""A strict simulator of the part of Microsoft Graph that separation of duties needs."""

from local.graph.app import DEFAULT_IDENTITY_HEADER, create_app
from local.graph.behaviour import Behaviour, Throttle
from local.graph.simulator import Simulator
from local.graph.tenant import Tenant

__all__ = [
    "DEFAULT_IDENTITY_HEADER",
    "Behaviour",
    "Simulator",
    "Tenant",
    "Throttle",
    "create_app",
]
