"""`python scripts/check_words.py [PATH…]`: finds the words of words.txt in docs, code and messages.

Without a path it looks at those of `[tool.words]` in pyproject.toml. Exit code 0: none. 1: some.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORDS = ROOT / "words.txt"
SUFFIXES = frozenset({".py", ".md", ".bicep", ".sh", ".ps1", ".yml", ".yaml", ".toml", ".js"})


@dataclass(frozen=True, slots=True)
class Words:
    """What words.txt says.

    Attributes:
        avoided: each word with what to write in its place.
        allowed: texts in which a word may stand.
    """

    avoided: Sequence[tuple[re.Pattern[str], str]]
    allowed: Sequence[str]


def main(arguments: Sequence[str]) -> int:
    words = read_words(WORDS.read_text(encoding="utf-8"))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["words"]
    found = list(found_in(files_of(arguments or settings["paths"]), words))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} words to avoid" if found else "no words to avoid", file=sys.stderr)
    return 1 if found else 0


def read_words(text: str) -> Words:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return Words(
        avoided=[_avoided(line) for line in lines if line[0] != "+"],
        allowed=[line.removeprefix("+").strip() for line in lines if line[0] == "+"],
    )


def _avoided(line: str) -> tuple[re.Pattern[str], str]:
    word, _, advice = line.partition("=")
    return _pattern(word.strip()), advice.strip()


def _pattern(word: str) -> re.Pattern[str]:
    """A word in capitals begins a name, also a private one; any other stands alone, in any case."""
    escaped = r"\s+".join(map(re.escape, word.split()))
    if word.isupper():
        return re.compile(rf"(?<![A-Za-z0-9_])_?{escaped}")
    return re.compile(rf"(?<![\w-]){escaped}(?![\w-])", re.IGNORECASE)


def files_of(paths: Sequence[str]) -> Iterator[Path]:
    """Every file below the paths that people read.

    Raises:
        FileNotFoundError: there is no such path, so nothing would be looked at.
    """
    for name in paths:
        path = ROOT / name
        if not path.exists():
            raise FileNotFoundError(
                f"{name} does not exist: correct [tool.words] in pyproject.toml"
            )
        inside = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (each for each in inside if each.suffix in SUFFIXES and each.is_file())


def found_in(files: Iterator[Path], words: Words) -> Iterator[str]:
    """A line for each word: its place, and what to write instead."""
    for path in files:
        for number, word, advice in words_in(path.read_text(encoding="utf-8"), words):
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            yield f"{shown}:{number}: {word}: write {advice}"


def words_in(text: str, words: Words) -> Iterator[tuple[int, str, str]]:
    """The words of a text that may not stand there, with their lines."""
    for allowed in words.allowed:
        text = text.replace(allowed, " " * len(allowed))
    for pattern, advice in words.avoided:
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match[0], advice


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
