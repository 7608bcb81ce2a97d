"""Chooses the form of an answer by the caller's `Accept` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import azure.functions as func

from functions.http.responses import HttpProblem


def choose_media(req: func.HttpRequest, offered: Sequence[str]) -> str:
    """Choose what `Accept` likes best; of equals, and without the header, the first offered.

    Raises:
        HttpProblem: 406, nothing that is offered is wanted.
    """
    ranges = list(_ranges(req.headers.get("Accept") or "*/*"))
    liking = {media: _quality(media, ranges) for media in offered}
    best = max(offered, key=lambda media: liking[media])
    if liking[best] <= 0:
        detail = f"This answer comes as {' or '.join(offered)}."
        raise HttpProblem(406, "not-acceptable", "The answer has no such form", detail)
    return best


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        media, *settings = (each.strip().lower() for each in part.split(";"))
        given = dict(each.split("=", 1) for each in settings if "=" in each)
        try:
            yield media, float(given.get("q", "1"))
        except ValueError:
            yield media, 1.0


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """By the range that fits closest."""
    for wanted in (media, media.partition("/")[0] + "/*", "*/*"):
        found = [liking for name, liking in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
