"""Names that are nearly what a person typed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from entra_sod.core.names import visible
from entra_sod.domain.text import fold

MAX_SUGGESTIONS = 3
MAX_COMPARED = 5000  # names; comparing takes about 20 microseconds for each
MAX_COMPARED_LENGTH = 100  # characters of a name
CUTOFF = 0.6  # how alike two words have to be, as difflib measures it


def near_names(wanted: str, names: Iterable[str]) -> Sequence[str]:
    """Return the names that are most like a word, or have a word like it; at most three."""
    spelled: dict[str, str] = {}
    for name in islice(sorted(names), MAX_COMPARED):
        folded = fold(name[:MAX_COMPARED_LENGTH])
        for part in (folded, *folded.split()):
            spelled.setdefault(part, name)
    asked = fold(wanted[:MAX_COMPARED_LENGTH])
    near = get_close_matches(asked, spelled, MAX_SUGGESTIONS, CUTOFF)
    return list(dict.fromkeys(spelled[each] for each in near))


def did_you_mean(wanted: str, names: Iterable[str]) -> str:
    """Return a question that names what is near, to put behind a sentence; empty without any."""
    near = ", ".join(visible(each[:MAX_COMPARED_LENGTH]) for each in near_names(wanted, names))
    return f" Did you mean {near}?" if near else ""
