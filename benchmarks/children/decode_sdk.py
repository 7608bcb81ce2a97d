"""`python -m benchmarks.children.decode_sdk ITEMS ROUNDS`: the SDK's typed models, cold and warm.

What the request adapter does with an answer, once it has arrived: a parse node of the bytes, and
the typed collection from it.
"""

from __future__ import annotations

import statistics
import sys
import time

import msgspec

from benchmarks.pages import page
from benchmarks.report import Timing


def main(items: int, rounds: int) -> dict[str, Timing]:
    data = page(range(items))
    imported = _seconds_to_import()
    cold = _decode(data, items)
    warm = statistics.median(_decode(data, items) for _ in range(rounds))
    return {
        "import": Timing(imported, 1),
        "cold": Timing(cold, 1),
        "warm": Timing(warm, rounds),
    }


def _seconds_to_import() -> float:
    started = time.process_time()
    import msgraph.generated.models.access_package_assignment_collection_response  # noqa: F401 - only timed

    return time.process_time() - started


def _decode(data: bytes, expected: int) -> float:
    from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
    from msgraph.generated.models.access_package_assignment_collection_response import (
        AccessPackageAssignmentCollectionResponse,
    )

    started = time.process_time()
    node = JsonParseNodeFactory().get_root_parse_node("application/json", data)
    found = node.get_object_value(AccessPackageAssignmentCollectionResponse)
    seconds = time.process_time() - started
    assert len(found.value or []) == expected
    return seconds


if __name__ == "__main__":
    result = main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.buffer.write(msgspec.json.encode(result))
