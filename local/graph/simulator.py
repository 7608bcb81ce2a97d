"""The simulator's state: a tenant, how Graph behaves, and what happened so far."""

import time
from collections.abc import Callable

from msgspec import Struct

from local.graph.authorization import Grants, grants_of
from local.graph.behaviour import Behaviour
from local.graph.errors import GraphError, unauthenticated
from local.graph.exchange import GraphRequest
from local.graph.faults import Faults
from local.graph.index import Index
from local.graph.log import RequestLog
from local.graph.tenant import Identity, RoleAssignment, Tenant
from local.graph.throttling import Throttling
from local.graph.tokens import Claims, read, signing_key


class Stale(Struct):
    """A reference collection as it was before a write, still shown to the next readers."""

    ids: list[str]
    reads_left: int


class Simulator:
    def __init__(
        self,
        tenant: Tenant,
        behaviour: Behaviour,
        *,
        root: str,
        identity_header: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root.rstrip("/")
        self.identity_header = identity_header
        self.key = signing_key(identity_header)
        self.clock = clock
        self.log = RequestLog()
        self._first_tenant = tenant.snapshot()
        self._first_behaviour = behaviour
        self.reset()

    def reset(self) -> None:
        """Everything as it was when the simulator was made."""
        self.behaviour = self._first_behaviour
        self.faults = Faults()
        self.throttling = Throttling()
        self.log.clear()
        self.replace_tenant(self._first_tenant.snapshot())

    def replace_tenant(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.index = Index(tenant)
        # by package id and name of the collection
        self.stale: dict[tuple[str, str], Stale] = {}

    def replace_roles(self, roles: list[RoleAssignment]) -> None:
        self.tenant.role_assignments = roles

    @property
    def audiences(self) -> frozenset[str]:
        return frozenset({self.behaviour.audience.rstrip("/"), self.root})

    def authenticate(self, request: GraphRequest) -> Identity:
        """The identity whose token the request carries."""
        claims = self._claims(request)
        if claims.aud.rstrip("/") not in self.audiences:
            raise unauthenticated("Access token validation failure. Invalid audience.")
        identity = self.index.identities.get(claims.appid.lower())
        if identity is None:
            raise unauthenticated("The identity of the calling application could not be found.")
        return identity

    def token_of(self, request: GraphRequest) -> str:
        """What the log says about the token: none, invalid, or whose it is."""
        if "authorization" not in request.headers:
            return "none"
        try:
            return self.authenticate(request).client_id
        except GraphError:
            return "invalid"

    def grants_of(self, identity: Identity) -> Grants:
        return grants_of(
            identity,
            self.tenant.role_assignments,
            root_scope_counts=self.behaviour.root_scope_counts,
        )

    def _claims(self, request: GraphRequest) -> Claims:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("Access token is empty.")
        return read(token, self.key, now=self.clock())
