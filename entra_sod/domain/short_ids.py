"""Ids as people read and type them: the shortest beginning that no other id of a list has. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

MIN_SHORT_ID = 8  # characters
# A run's id begins with what it is and when it began, which people read as one word.
_KIND_AND_TIME = re.compile(r"[a-z]+-\d{8}T\d{6}Z")


def short_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Return for each id its shortest beginning that is unique among the ids.

    It has 8 characters at least. The beginning of a run's id has its kind and its time at least.
    """
    ordered = sorted(set(ids))
    shared = dict.fromkeys(ordered, 0)
    for one, next_one in pairwise(ordered):
        # In order, the neighbours of an id share the longest beginning with it.
        length = _shared_length(one, next_one)
        shared[one], shared[next_one] = max(shared[one], length), length
    return {each: _cut(each, length + 1) for each, length in shared.items()}


def ids_beginning(with_this: str, ids: Iterable[str]) -> Sequence[str]:
    """Return the ids that begin with a text, in order; one that is the text stands alone."""
    wanted = with_this.strip().lower()
    found = sorted({each for each in ids if each.lower().startswith(wanted)})
    exact = [each for each in found if each.lower() == wanted]
    return exact or found


def _shared_length(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    both = zip(one, other, strict=False)
    return next(
        (place for place, (here, there) in enumerate(both) if here != there),
        min(len(one), len(other)),
    )


def _cut(whole: str, length: int) -> str:
    known = _KIND_AND_TIME.match(whole)
    least = known.end() if known else MIN_SHORT_ID
    length = max(length, least)
    # A hyphen at the end looks like a word that goes on; the next character makes it whole.
    return whole[: length + 1] if whole[length - 1 : length] == "-" else whole[:length]
