"""What cannot be read although everything else can: whole answers, pages, and single items."""

from collections.abc import Callable, Sequence
from typing import Protocol

from local.graph.behaviour import Unreadable
from local.graph.call import Call
from local.graph.errors import named_error
from local.graph.exchange import GraphRequest
from local.graph.simulator import Simulator

# an id that is no string, and nothing else
MISSHAPEN = {"id": 7}


class Identified(Protocol):
    id: str


def refuse_unreadable(simulator: Simulator, request: GraphRequest) -> None:
    """Refuses a read that fails whatever it would show."""
    for each in simulator.behaviour.unreadable:
        if not each.is_of_lists and request.method == "GET" and _is_meant(each, request):
            _refuse(each)


def render_page[T: str | Identified](
    call: Call, items: Sequence[T], render: Callable[[T], object], *, page: int
) -> list[object]:
    """The items of a page as the list shows them; refused where the page or an item fails."""
    failing = [
        each
        for each in call.behaviour.unreadable
        if each.is_of_lists and _is_meant(each, call.request) and each.page in {None, page}
    ]
    for each in failing:
        if each.item is None:
            _refuse(each)
    return [_rendered(item, render, failing) for item in items]


def _rendered[T: str | Identified](
    item: T, render: Callable[[T], object], failing: Sequence[Unreadable]
) -> object:
    item_id = (item if isinstance(item, str) else item.id).lower()
    found = next((each for each in failing if (each.item or "").lower() == item_id), None)
    if found is None:
        return render(item)
    match found.answer:
        case "null":
            return None
        case "misshapen":
            return MISSHAPEN
        case error:
            raise named_error(error)


def _is_meant(unreadable: Unreadable, request: GraphRequest) -> bool:
    return unreadable.path_contains in request.target


def _refuse(unreadable: Unreadable) -> None:
    match unreadable.answer:
        case "null" | "misshapen":
            # only an item is shown like that
            return
        case error:
            raise named_error(error)
