"""The identity endpoint that App Service puts beside an app with a managed identity.

azure-identity's `ManagedIdentityCredential` calls it when `IDENTITY_ENDPOINT` and
`IDENTITY_HEADER` are set.
"""

from urllib.parse import parse_qs

from local.graph.exchange import Answer, GraphRequest
from local.graph.simulator import Simulator
from local.graph.tenant import Identity
from local.graph.tokens import Claims, issue

API_VERSION = "2019-08-01"
GRAPH_RESOURCES = frozenset(
    {
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    }
)


def answer_token(simulator: Simulator, request: GraphRequest) -> Answer:
    if request.method != "GET":
        return _refusal(405, "The identity endpoint is read by GET.")
    if request.headers.get("x-identity-header") != simulator.identity_header:
        return _refusal(401, "The X-IDENTITY-HEADER is missing or wrong.")
    query = {name: values[-1] for name, values in parse_qs(request.query).items()}
    if query.get("api-version") != API_VERSION:
        return _refusal(400, f"api-version must be {API_VERSION}.")
    resource = query.get("resource", "")
    if resource.rstrip("/") not in GRAPH_RESOURCES | {simulator.root}:
        return _refusal(400, f"No token can be had for the resource '{resource}'.")
    identity = simulator.index.identities.get(query.get("client_id", "").lower())
    if identity is None:
        return _refusal(400, "No managed identity with this client_id is assigned to the app.")
    return _token(simulator, identity, resource)


def _token(simulator: Simulator, identity: Identity, resource: str) -> Answer:
    now = int(simulator.clock())
    claims = Claims(
        aud=resource,
        appid=identity.client_id,
        oid=identity.principal_id,
        nbf=now,
        exp=now + simulator.behaviour.token_seconds,
    )
    body = {
        "access_token": issue(claims, simulator.key),
        "expires_on": str(claims.exp),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": identity.client_id,
    }
    return Answer(body=body, headers={"Content-Type": "application/json"})


def _refusal(status: int, message: str) -> Answer:
    body = {"statusCode": status, "message": message}
    return Answer(status=status, body=body, headers={"Content-Type": "application/json"})
