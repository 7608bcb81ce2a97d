"""The simulator as a web application: Graph, the identity endpoint and the control plane."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local.graph.behaviour import Behaviour
from local.graph.connection import RAW_SEND, deliver
from local.graph.control import PREFIX, answer_control
from local.graph.exchange import Answer, GraphRequest
from local.graph.identity import answer_token
from local.graph.service import serve
from local.graph.simulator import Simulator
from local.graph.tenant import Tenant

IDENTITY_PATH = "/msi/token"
DEFAULT_IDENTITY_HEADER = "local-identity-header"


class GraphApp(Starlette):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[RAW_SEND] = send
        await super().__call__(scope, receive, send)


class Door:
    """Takes every path as it came: Graph's functions and $ref are nothing for a path pattern."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _received(Request(scope, receive))
        await deliver(await self._answer(request), scope, send)

    async def _answer(self, request: GraphRequest) -> Answer:
        if request.path == IDENTITY_PATH:
            return answer_token(self._simulator, request)
        if request.path.startswith(PREFIX):
            return answer_control(self._simulator, request)
        return await serve(self._simulator, request)


def create_app(
    tenant: Tenant,
    behaviour: Behaviour | None = None,
    *,
    root: str,
    identity_header: str = DEFAULT_IDENTITY_HEADER,
) -> Starlette:
    """The application; its state is `app.state.simulator`. `root` is where callers reach it."""
    simulator = Simulator(
        tenant, behaviour or Behaviour(), root=root, identity_header=identity_header
    )
    app = GraphApp(routes=[Route("/{path:path}", endpoint=Door(simulator))])
    app.state.simulator = simulator
    return app


async def _received(request: Request) -> GraphRequest:
    raw_path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    target = raw_path + (b"?" + query if query else b"")
    return GraphRequest(
        method=request.method,
        target=target.decode("latin-1"),
        headers=dict(request.headers),
        body=await request.body(),
    )
