"""The canonical form of rules files: the layout changes, no value and no comment. Pure.

Scalars are copied as they are written. A collection in flow style stays so if it stands on one
line, or fits one, and holds no comment. All others are written in block style, two columns deeper
than what holds them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import yaml

from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import Document, RulesProblem, SourceFile
from entra_sod.domain.rules.yaml_text import scalar

MAX_WIDTH = 100  # columns of a collection in flow style
_STEP = "  "
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what YAML takes for one
_COMMENT = re.compile("#[^\r\n\x85\u2028\u2029]*")
_HEADER = re.compile(r"[|>][-+]?")  # of a block scalar, without a width of its own
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def format_yaml(source: SourceFile) -> str:
    """Return the canonical form of a file.

    Raises:
        RulesError: it is no YAML that rules or their tests have a use for, each mistake with its
            place; or its form cannot be changed without a change of what it says.
    """
    before = Document(source)
    if before.problems or not before.is_read:
        raise RulesError([str(each) for each in before.problems])
    layout = _Layout(source.text)
    text = _Writer(layout).written()
    after = Document(SourceFile(source.name, text))
    is_same = not after.problems and repr(after.value) == repr(before.value)
    if not is_same or _Layout(text).comment_texts != layout.comment_texts:
        problem = RulesProblem(source.name, 1, 1, "has a layout that cannot be changed: write it")
        raise RulesError([f"{problem} in block style, with comments on lines of their own"])
    return text


@dataclass(slots=True)
class _Piece:
    """A value as it lies in the text.

    Attributes:
        column: where it begins, which is where the entries of a block begin.
        style: of a scalar: None if it is plain.
        entries: of a mapping, keys and values in turn; of a list, its elements.
    """

    start: int
    end: int
    column: int = 0
    style: str | None = None
    text: str = ""
    is_flow: bool = False
    is_mapping: bool = False
    entries: list[_Piece] | None = None

    @property
    def is_block_scalar(self) -> bool:
        return self.entries is None and self.style in {"|", ">"}

    @property
    def pairs(self) -> Iterator[tuple[_Piece, _Piece]]:
        entries = iter(self.entries or ())
        return zip(entries, entries, strict=True)


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment; its column is where its line begins, whatever stands there."""

    start: int
    text: str
    line: int
    column: int
    is_alone: bool


class _Layout:
    """A text with its values and its comments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self._leaves: list[_Piece] = []
        self._starts: list[int] = []
        self.root = self._read()
        self.comments = list(self._find_comments())
        self._comment_starts = [each.start for each in self.comments]

    @property
    def comment_texts(self) -> Sequence[str]:
        inside = (
            found[0].rstrip()
            for each in self._leaves
            if each.is_block_scalar and (found := _COMMENT.search(_header(self.text, each)))
        )
        return sorted([*inside, *(each.text for each in self.comments)])

    def line_of(self, place: int) -> int:
        return bisect_right(self._lines, place) - 1

    def next_start(self, place: int) -> int:
        """Where the next value begins, or the end of the text."""
        at = bisect_left(self._starts, place)
        return self._starts[at] if at < len(self._starts) else len(self.text)

    def _read(self) -> _Piece:
        events = yaml.parse(self.text, Loader=_Loader)
        return next(
            self._piece(event, events) for event in events if isinstance(event, yaml.NodeEvent)
        )

    def _piece(self, event: yaml.NodeEvent, events: Iterator[yaml.Event]) -> _Piece:
        mark = _marked(event.start_mark)
        piece = _Piece(mark.index, _marked(event.end_mark).index, mark.column)
        self._starts.append(piece.start)
        if isinstance(event, yaml.ScalarEvent):
            piece.style, piece.text = event.style or None, event.value
            self._leaves.append(piece)
            return piece
        piece.is_flow = bool(getattr(event, "flow_style", False))
        piece.is_mapping = isinstance(event, yaml.MappingStartEvent)
        piece.entries = []
        while isinstance(inner := next(events), yaml.NodeEvent):
            piece.entries.append(self._piece(inner, events))
        end = _marked(inner.end_mark).index
        piece.end = end if piece.is_flow else self._leaves_end(piece)
        return piece

    @staticmethod
    def _leaves_end(piece: _Piece) -> int:
        return piece.entries[-1].end if piece.entries else piece.end

    def _find_comments(self) -> Iterator[_Comment]:
        place = 0
        for leaf in [*self._leaves, _Piece(len(self.text), len(self.text))]:
            for found in _COMMENT.finditer(self.text, place, leaf.start):
                yield self._comment(found)
            place = leaf.end

    def _comment(self, found: re.Match[str]) -> _Comment:
        line = self.line_of(found.start())
        before = self.text[self._lines[line] : found.start()]
        column = len(before) - len(before.lstrip()) if before.strip() else len(before)
        return _Comment(found.start(), found[0].rstrip(), line, column, not before.strip())

    def has_comment(self, piece: _Piece) -> bool:
        starts = self._comment_starts
        return bisect_left(starts, piece.start) < bisect_left(starts, piece.end)


def _marked(mark: object) -> yaml.Mark:
    """Return the place of an event, which a parser always gives."""
    return cast("yaml.Mark", mark)


def _header(text: str, piece: _Piece) -> str:
    """Return the first line of a block scalar."""
    return _LINE_END.split(text[piece.start : piece.end], maxsplit=1)[0].rstrip()


@dataclass(slots=True)
class _Writer:
    """Writes a text anew.

    Attributes:
        _place: the end of what is written so far, in the old text.
        _line: of the old text, that a comment stands on if it belongs to the last line.
        _is_fresh: whether a collection has just begun, before which no line is left blank.
    """

    layout: _Layout
    _lines: list[str] = field(default_factory=list)
    _waiting: list[_Comment] = field(default_factory=list)
    _place: int = 0
    _line: int = -1
    _is_fresh: bool = True

    def written(self) -> str:
        self._waiting = self.layout.comments[::-1]  # the next one is the last
        self._value(self.layout.root, 0, "", 0)
        self._comments(len(self.layout.text), 0)
        return "\n".join(self._lines) + "\n"

    def _value(self, piece: _Piece, depth: int, lead: str, at: int) -> None:
        """Write an element of a list, or the whole; its first line begins with `lead`, at `at`."""
        is_block = self._is_block(piece, len(lead))
        self._before(piece.start if is_block or piece.entries is None else piece.end, piece, at)
        if is_block:
            self._block(piece, depth, lead, at, piece.column)
        else:
            self._inline(piece, lead, depth)

    def _block(self, piece: _Piece, depth: int, lead: str, at: int, floor: int) -> None:
        """Write a collection, an entry a line.

        Args:
            piece: the collection.
            depth: of its entries.
            lead: what its first line begins with.
            at: the depth of that line.
            floor: comments at its end belong to it if they stand there or further right.
        """
        self._is_fresh = True
        for number, entry in enumerate(self._entries(piece)):
            first = (lead, at) if number == 0 else (_STEP * depth, depth)
            self._entry(entry, depth, *first)
        self._close(piece, depth, floor)

    def _entries(self, piece: _Piece) -> Iterator[tuple[_Piece, ...]]:
        if piece.is_mapping:
            yield from piece.pairs
        else:
            yield from ((each,) for each in piece.entries or ())

    def _entry(self, entry: tuple[_Piece, ...], depth: int, lead: str, at: int) -> None:
        first, last = entry[0], entry[-1]
        if first is last:
            self._value(first, depth + 1, f"{lead}- ", at)
            return
        head = f"{lead}{self._scalar(first)}:"
        if not self._is_block(last, len(head) + 1):
            self._before(last.start, first, at)
            self._inline(last, f"{head} ", depth + 1)
            return
        self._before(first.start, first, at)
        self._put(head, first.end)
        below = depth + 1
        self._block(last, below, _STEP * below, below, max(last.column, first.column + 1))

    def _is_block(self, piece: _Piece, used: int) -> bool:
        if not piece.entries:
            return False
        if not piece.is_flow or self.layout.has_comment(piece):
            return True
        is_wide = used + len(self._flow(piece)) > MAX_WIDTH
        return is_wide and self.layout.line_of(piece.start) != self.layout.line_of(piece.end)

    def _flow(self, piece: _Piece) -> str:
        if piece.entries is None:
            return self._scalar(piece)
        if piece.is_mapping:
            pairs = (f"{self._scalar(key)}: {self._flow(value)}" for key, value in piece.pairs)
            return f"{{{', '.join(pairs)}}}"
        return f"[{', '.join(map(self._flow, piece.entries))}]"

    def _scalar(self, piece: _Piece) -> str:
        """Return a scalar as it is written, on one line."""
        source = self.layout.text[piece.start : piece.end]
        if piece.is_block_scalar or _LINE_END.search(source):
            return scalar(piece.text)
        return source

    def _inline(self, piece: _Piece, lead: str, depth: int) -> None:
        """Write what stands on the line of its key; of a block scalar the lines below as well."""
        if not piece.is_block_scalar:
            self._put((lead + self._flow(piece)).rstrip(), piece.end)
            return
        header = _header(self.layout.text, piece)
        if not _HEADER.fullmatch(header.partition("#")[0].rstrip()):
            self._put(lead + scalar(piece.text), piece.end)
            return
        source, is_kept = self.layout.text[piece.start : piece.end], "+" in header[:2]
        end = piece.end if is_kept else piece.start + len(source.rstrip())
        self._put(lead + header, end)
        self._lines += _body(source, _STEP * depth, is_kept=is_kept)
        self._line = -1

    def _put(self, text: str, end: int) -> None:
        self._lines.append(text)
        self._place, self._line, self._is_fresh = end, self.layout.line_of(end), False

    def _before(self, until: int, piece: _Piece, depth: int) -> None:
        """Write the comments before a line, and leave a line blank where there was one."""
        self._comments(until, depth)
        self._blank(piece.start)

    def _close(self, piece: _Piece, depth: int, floor: int) -> None:
        """Write the comments that belong to the end of a block: those as deep as its entries."""
        if piece.is_flow:
            self._comments(piece.end, depth)
            self._place = piece.end
            if self._line >= 0:  # the last line has no comment yet
                self._line = self.layout.line_of(piece.end)
            return
        until = self.layout.next_start(self._place)
        while self._waiting and self._waiting[-1].start < until:
            comment = self._waiting[-1]
            if not self._belongs_to_line(comment) and comment.column < floor:
                return
            self._comment(depth)

    def _comments(self, until: int, depth: int) -> None:
        while self._waiting and self._waiting[-1].start < until:
            self._comment(depth)

    def _comment(self, depth: int) -> None:
        comment = self._waiting.pop()
        if self._belongs_to_line(comment):
            self._lines[-1] += f"  {comment.text}"
        else:
            self._blank(comment.start)
            self._lines.append(_STEP * depth + comment.text)
        self._place, self._line, self._is_fresh = comment.start + len(comment.text), -1, False

    def _belongs_to_line(self, comment: _Comment) -> bool:
        return not comment.is_alone and comment.line == self._line

    def _blank(self, start: int) -> None:
        between = _LINE_END.sub("\n", self.layout.text[self._place : start])
        if not self._is_fresh and _BLANK_LINE.search(between):
            self._lines.append("")
        self._is_fresh = False


def _body(source: str, indent: str, *, is_kept: bool) -> list[str]:
    """Return the lines of a block scalar below its header, each at its new depth."""
    lines = _LINE_END.split(source)[1:]
    if lines and not lines[-1].strip():
        lines.pop()
    while lines and not is_kept and not lines[-1].strip():
        lines.pop()
    first = next((line for line in lines if line.strip()), "")
    width = len(first) - len(first.lstrip(" "))
    return [(indent + line[width:]) if line[width:] else "" for line in lines]
