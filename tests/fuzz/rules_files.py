"""Generated rules files: bytes, YAML and Unicode, each read alone and beside other mistakes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from entra_sod.cli.operations.rules.lint import lint
from entra_sod.core.errors import RulesError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import Document, RulesProblem, SourceFile, decode
from entra_sod.domain.rules.parse import parse_rules, read_rules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet

DAY = date(2026, 6, 1)
_SEED = """version: 1
classes:
  payers: {packages: [{catalog: Finance, name: "Pay *"}], groups: [{id: {A}}]}
  more: {packages: [{name: "More *"}]}
  makers: {grants: [{group: {A}, kind: any}, {app: Pay, role: Post}, {azureRole: X, scope: /s}]}
rules:
  - id: pay
    title: Nobody both pays and approves
    severity: critical
    owner: o@example.com
    mode: enforce
    between: [{classes: [payers]}, {packages: [{id: {B}}]}]
    effective: {from: 2026-01-01, until: 2026-12-31}
  - {id: one, title: T, severity: low, owner: o, mode: warn, atMost: {count: 1, of: [{name: "A*"}]}}
  - {id: all, title: T, severity: low, owner: o, mode: warn, process: P, tags: [t], owners: [p],
     frameworks: [{id: F, ref: "1"}], source: {file: m.csv, row: 2},
     allOf: [{packages: [{id: {A}}], every: true}, {packages: [{id: {B}}]}, {classes: [more]}]}
  - {id: few, title: T, severity: low, owner: o, mode: warn,
     atMostSides: {count: 1, of: [{packages: [{id: {A}}]}, {packages: [{name: "A*"}]}]}}
  - {id: need, title: T, severity: low, owner: o, mode: warn,
     requires: {when: {packages: [{id: {A}}]}, needs: {packages: [{id: {B}}]}}}
controls: [{id: c, title: T, owner: o, days: 366, evidence: E}]
exceptions:
  - {id: e, rule: pay, subject: {A}, from: 2026-01-01, until: 2026-12-31, reason: R,
     requestedBy: ann, approvedBy: bob}
  - {id: f, rule: one, subject: {B}, from: 2026-01-01, control: c, reason: R,
     requestedBy: ann, approvedBy: bob}
""".replace("{A}", "2506aef1-3929-4d24-a61e-7c8b83d95e6f").replace(
    "{B}", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
)
_GUID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")
_SLIPS = (
    *(
        "*",
        "&",
        "!",
        "%",
        "@",
        "`",
        "{",
        "}",
        "[",
        "]",
        "?",
        "|",
        ">",
        "-",
        ":",
        "#",
        ",",
        "'",
        '"',
    ),
    *(
        "\t",
        "\n",
        "\r",
        "\0",
        "\x85",
        "\u2028",
        "\u00a0",
        "\u200b",
        "\u202e",
        "\ufeff",
        "“",
        "”",
        "ü",
    ),
    *(
        "u\u0308",
        "👩‍🚀",
        "\ud7ff",
        "\U0010ffff",
        "yes",
        "no",
        "null",
        "~",
        "",
        "7",
        "1e400",
        ".nan",
    ),
    *(
        "0x_",
        "12:30",
        "9" * 5000,
        "2026-02-30",
        "0001-01-01",
        "9999-12-31",
        "<<",
        "---",
        "...",
        "? ",
    ),
    *("2506aef139294d24a61e7c8b83d95e6f", "payers", "pay", "enforce", "name: '*'", "version: 2"),
    *(
        "- - - - ",
        "[[[[[[[[[[[[[[[[[[[[[[",
        "{a: {a: {a: ",
        "&a [*a]",
        "!!python/object:x",
        "%YAML 9.9\n",
    ),
)
_ENCODINGS = (
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "cp1252",
)
_TENANT = Tenant(
    AccessPackage(
        id=f"00000000-0000-4000-8000-00000000000{n}", display_name=name, catalog_name="Finance"
    )
    for n, name in enumerate(("Pay invoices", "Größe", "Gro\u0308ße", "👩‍🚀 [x]", "", "A"))
)
_BESIDE = "version: 1\nrules: [{id: beside}]\nunknown: 1\n"
_BESIDE_LINE = "\nunknown_: 1\n"


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that ended in an error, or was answered otherwise beside another mistake."""

    data: bytes
    why: str


def generate(seed: int) -> bytes:
    """Make one file, the same for the same seed: a good one with some slips, or bytes."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    if dice.random() < 0.05:
        return dice.randbytes(dice.randrange(200))
    text = _SEED
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3, 8))):
        text = _slipped(text, dice)
    data = text.encode(dice.choice(_ENCODINGS), errors="replace")
    if dice.random() < 0.1:
        place = dice.randrange(len(data) + 1)
        data = data[:place] + dice.randbytes(1) + data[place + dice.randrange(2) :]
    return data


def _slipped(text: str, dice: random.Random) -> str:
    words = text.split(" ")
    place = dice.randrange(len(words))
    slip = dice.choice(
        (*_SLIPS, chr(dice.choice((dice.randrange(0xD800), dice.randrange(0xE000, 0x110000)))))
    )
    match dice.randrange(5):
        case 0:
            words[place] = slip
        case 1:
            words[place] = slip + words[place]
        case 2:
            words.insert(place, slip)
        case 3:
            ids = _GUID.findall(text)
            return (
                text.replace(dice.choice(ids), dice.choice(ids).replace("-", ""), 1)
                if ids
                else text
            )
        case _:
            lines = text.splitlines(keepends=True)
            line = dice.randrange(len(lines))
            lines[line : line + 1] = dice.choice(([], [lines[line]] * 2, [slip + lines[line]]))
            return "".join(lines)
    return " ".join(words)


def find_failures(count: int, seed: int) -> Iterator[Failure]:
    """Read so many files, each as every command does, and again beside mistakes."""
    for number in range(seed, seed + count):
        data = generate(number)
        try:
            if why := _judge(data):
                yield Failure(data, f"seed {number}: {why}")
        except Exception as error:  # noqa: BLE001 - any at all is what is looked for
            yield Failure(data, f"seed {number}: {type(error).__name__}: {error}")


def _judge(data: bytes) -> str | None:
    file = decode("f", data)
    if isinstance(file, RulesProblem):
        return _unfit_line(str(file))
    alone = read_rules([file])
    said = [*alone.problems, *lint(alone, DAY, None), *lint(alone, DAY, _TENANT)]
    for problem in said:
        if why := _unfit_line(str(problem)):
            return why
    if not alone.problems:
        RuleSet(resolve(parse_rules([file]), _TENANT, DAY)).hash  # noqa: B018 - as the app does
    else:
        try:
            parse_rules([file])
        except RulesError:
            pass
        else:
            return "mistakes are named and the rules are taken all the same"
    return _changed(file, alone.problems)


def _changed(file: SourceFile, alone: list[RulesProblem]) -> str | None:
    """Whether a mistake goes unsaid beside another one, or one is said that was none."""
    beside = read_rules([file, SourceFile("other", _BESIDE)]).problems
    if (others := [each for each in beside if each.file == "f"]) != alone:
        return f"beside another file: {others}, alone: {alone}"
    if not Document(file).is_read or not isinstance(Document(file).value, dict):
        return None
    within = SourceFile("f", file.text.rstrip("\n") + _BESIDE_LINE)
    if not Document(within).is_read:
        return None
    more = [each for each in read_rules([within]).problems if "unknown_" not in each.message]
    return None if more == alone else f"beside another field: {more}, alone: {alone}"


def _unfit_line(line: str) -> str | None:
    return (
        None
        if line.isprintable() or not set(line) & set("\n\r\x1b\u202e\u2028")
        else f"raw: {line!r}"
    )
