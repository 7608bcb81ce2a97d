"""The control plane: how a test or a demo steers the simulator, and reads what it did.

No token is needed, and nothing here exists in Graph. All bodies are JSON.

    GET    /__simulator/health     {"status": "ok"}
    GET    /__simulator/behaviour  how Graph behaves now
    PUT    /__simulator/behaviour  replaces the named fields; answers with all of them
    POST   /__simulator/faults     one fault or a list, behind those already ordered
    GET    /__simulator/faults     the faults, with the times that are left
    DELETE /__simulator/faults     forgets them
    GET    /__simulator/requests   every Graph request so far: {"requests": [...]}
    DELETE /__simulator/requests   forgets them
    GET    /__simulator/timeline   of each of them only [time, status, kind]: {"timeline": [...]}
    GET    /__simulator/tenant     the whole state; each reference with its `additions`
    PUT    /__simulator/tenant     replaces it
    PUT    /__simulator/roles      replaces the role assignments, a list
    POST   /__simulator/moves      moves packages: {package id: id of its new catalog}
    POST   /__simulator/reset      tenant and behaviour as at the start; no faults, empty log
"""

from collections.abc import Callable

import msgspec

from local.graph import behaviour as behaviours
from local.graph import tenant as tenants
from local.graph.exchange import Answer, GraphRequest
from local.graph.faults import Fault
from local.graph.simulator import Simulator
from local.graph.tenant import RoleAssignment

PREFIX = "/__simulator/"

type Control = Callable[[Simulator, bytes], object]


def answer_control(simulator: Simulator, request: GraphRequest) -> Answer:
    methods = CONTROLS.get(request.path.removeprefix(PREFIX))
    if methods is None:
        return Answer(status=404, body={"error": f"There is no {request.path}."})
    control = methods.get(request.method)
    if control is None:
        return Answer(status=405, body={"error": f"It takes {', '.join(methods)}."})
    try:
        return Answer(body=control(simulator, request.body))
    except msgspec.DecodeError as error:
        return Answer(status=400, body={"error": str(error)})


def _health(_simulator: Simulator, _body: bytes) -> object:
    return {"status": "ok"}


def _behaviour(simulator: Simulator, _body: bytes) -> object:
    return simulator.behaviour


def _change_behaviour(simulator: Simulator, body: bytes) -> object:
    simulator.behaviour = behaviours.merged(simulator.behaviour, body)
    return simulator.behaviour


def _faults(simulator: Simulator, _body: bytes) -> object:
    return {"faults": simulator.faults.ordered}


def _order_faults(simulator: Simulator, body: bytes) -> object:
    ordered = msgspec.json.decode(body, type=Fault | list[Fault])
    simulator.faults.ordered += ordered if isinstance(ordered, list) else [ordered]
    return _faults(simulator, body)


def _forget_faults(simulator: Simulator, body: bytes) -> object:
    simulator.faults.ordered.clear()
    return _faults(simulator, body)


def _requests(simulator: Simulator, _body: bytes) -> object:
    return {"requests": simulator.log.requests}


def _forget_requests(simulator: Simulator, body: bytes) -> object:
    simulator.log.clear()
    return _requests(simulator, body)


def _timeline(simulator: Simulator, _body: bytes) -> object:
    return {"timeline": simulator.log.timeline()}


def _tenant(simulator: Simulator, _body: bytes) -> object:
    return simulator.tenant


def _replace_tenant(simulator: Simulator, body: bytes) -> object:
    simulator.replace_tenant(tenants.decode(body))
    return {"accessPackages": len(simulator.tenant.access_packages)}


def _replace_roles(simulator: Simulator, body: bytes) -> object:
    simulator.replace_roles(msgspec.json.decode(body, type=list[RoleAssignment]))
    return simulator.tenant.role_assignments


def _move_packages(simulator: Simulator, body: bytes) -> object:
    moves = msgspec.json.decode(body, type=dict[str, str])
    index = simulator.index
    for package_id, catalog_id in moves.items():
        if package_id.lower() not in index.packages or catalog_id.lower() not in index.catalogs:
            raise msgspec.ValidationError(f"No package {package_id}, or no catalog {catalog_id}.")
    for package_id, catalog_id in moves.items():
        index.packages[package_id.lower()].catalog_id = catalog_id
    return moves


def _reset(simulator: Simulator, body: bytes) -> object:
    simulator.reset()
    return _health(simulator, body)


CONTROLS: dict[str, dict[str, Control]] = {
    "health": {"GET": _health},
    "behaviour": {"GET": _behaviour, "PUT": _change_behaviour},
    "faults": {"GET": _faults, "POST": _order_faults, "DELETE": _forget_faults},
    "requests": {"GET": _requests, "DELETE": _forget_requests},
    "timeline": {"GET": _timeline},
    "tenant": {"GET": _tenant, "PUT": _replace_tenant},
    "roles": {"PUT": _replace_roles},
    "moves": {"POST": _move_packages},
    "reset": {"POST": _reset},
}
