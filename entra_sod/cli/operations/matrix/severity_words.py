"""Words that matrices use for severities. A word that the table has not is never guessed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from entra_sod.cli.operations.matrix.model import MatrixError
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.text import fold

_WORDS: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical, very high, extreme, severe, c, 4, kritisch, sehr hoch",
    Severity.HIGH: "high, h, major, 3, hoch",
    Severity.MEDIUM: "medium, med, m, moderate, 2, mittel",
    Severity.LOW: "low, l, minor, 1, niedrig, gering",
}
SEVERITY_WORDS: Mapping[str, Severity] = {
    word: severity for severity, words in _WORDS.items() for word in words.split(", ")
}


def read_severity_words(given: Iterable[str]) -> Mapping[str, Severity]:
    """Extend the table by words as `P1=critical`.

    Raises:
        MatrixError: one of them is written in another way.
    """
    added: dict[str, Severity] = {}
    for text in given:
        word, _, severity = text.rpartition("=")
        if not fold(word) or severity not in list(Severity):
            names = ", ".join(Severity)
            raise MatrixError(f"--word {text}: write WORD=SEVERITY, with one of {names}.")
        added[fold(word)] = Severity(severity)
    return {**SEVERITY_WORDS, **added}


def gravest(severities: Iterable[Severity | None]) -> Severity | None:
    """Return the gravest of those that are named."""
    return max(filter(None, severities), key=list(Severity).index, default=None)
