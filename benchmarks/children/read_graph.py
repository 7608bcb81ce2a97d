"""A worker that reads assignments: every one of a package, or the holders of a pair.

`python -m benchmarks.children.read_graph ROOT page EARLY` or `… ROOT detect`.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.children.checkpoint import APP, reach
from benchmarks.pages import guid
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.clock import SystemClock
from entra_sod.services.detection.detect import Detector
from entra_sod.settings import CredentialKind, GraphSettings
from local.host.worker import Worker

PACKAGE, OTHER = guid(0xACCE55, 0), guid(0xACCE55, 1)


async def main(root: str, work: str, *arguments: str) -> None:
    await Worker(APP).index()
    reach("indexed")
    graph = GraphClient(
        GraphSettings(
            root=root, scope="", authority="", credential=CredentialKind.LOCAL, client_id=None
        )
    )
    try:
        if work == "page":
            await _page(graph, int(arguments[0]))
        else:
            await _detect(graph)
    finally:
        await graph.close()


async def _page(graph: GraphClient, early: int) -> None:
    """Look at every assignment and keep none; stop once on the way."""
    seen, has_stopped = 0, False
    async for page in graph.assignments(PACKAGE):
        seen += sum(each.is_held for each in page)
        if seen >= early and not has_stopped:
            has_stopped = True
            reach("early", assignments=seen)
    reach("end", assignments=seen)


async def _detect(graph: GraphClient) -> None:
    detection = await Detector(graph, SystemClock()).detect(PACKAGE, OTHER)
    reach("end", holders=len(detection.holders), way=detection.way)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
