"""Which column of a table has what, by the words of its head. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from entra_sod.domain.text import fold


class Column(StrEnum):
    ID = "id"
    TITLE = "title"
    DESCRIPTION = "description"
    SEVERITY = "severity"
    OWNER = "owner"
    CONTROL = "control"
    MITIGATION = "mitigation"
    ADVICE = "advice"
    PROCESS = "process"
    SUBPROCESS = "subprocess"
    FRAMEWORKS = "frameworks"
    LEGS = "number of legs"
    STATUS = "status"
    START = "from"
    END = "until"
    SYSTEM = "system"
    DUTY = "duty"  # the one column for duties of a table that has a row for each of them
    CONTENT = "content"
    ACTIVE = "active"
    APART = "kept apart"


_WORDS: Mapping[Column, str] = {
    Column.ID: "ruleid riskid id sodpolicycode policycode policyid conflictid risikoid regelid",
    Column.TITLE: "title rulename riskname policyname name soddesc sodrule bezeichnung",
    Column.DESCRIPTION: "description riskdescription riskdesc businessriskdescription reason risk "
    "ruledescription conflictdescription comment comments rationale beschreibung risiko",
    Column.SEVERITY: "severity risklevel riskrating sodriskrating rating level priority "
    "riskpriority criticality risikostufe schweregrad",
    Column.OWNER: "owner riskowner ruleowner controlowner eigentümer verantwortlich",
    Column.CONTROL: "control controlid controlreference mitigatingcontrolid",
    Column.MITIGATION: "mitigation mitigatingcontrol mitigatingcontrols compensatingcontrol "
    "compensatingcontrols sodcompcontrol kompensierendekontrolle",
    Column.ADVICE: "advice recommendation remediation empfehlung",
    Column.PROCESS: "process systemprocess businessprocess businessprocesses processname "
    "businessprocessname geschäftsprozess",
    Column.SUBPROCESS: "subprocess",
    Column.FRAMEWORKS: "frameworks framework regulatoryreference regulation regulatoryreferences "
    "compliancereference",
    Column.LEGS: "numberoflegs legs",
    Column.STATUS: "status state",
    Column.START: "validfrom from effectivefrom startdate",
    Column.END: "validto until to effectiveto enddate validuntil",
    Column.SYSTEM: "system application",
    Column.DUTY: "functid function functions functionid functioncode functionname sodfunction "
    "category categorycode sodcategory duty dutyname",
    Column.CONTENT: "action entitlement entitlements tcode resource resourcename permission",
    Column.ACTIVE: "active isactive enabled",
    Column.APART: "cannotbecombinedwith cannotbecombined incompatible conflict conflicting",
}
_COLUMNS = {word: column for column, words in _WORDS.items() for word in words.split()}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "conflicting": 2, "incompatible": 2, "other": 2}
_NOUN = (
    "role|rolle|duty|function|funct|tcode|transaction|entleg|entitlement|side|leg|category|"
    "activity|access|permission|privilege|responsibility|class|step|taskleg|system|application"
)
_NOUNS = frozenset(_NOUN.split("|"))
_NUMBERED = re.compile(rf"({_NOUN})(?:id|name|code)?([a-j]|[1-9]\d?)")
_ORDINAL = re.compile(rf"({'|'.join(_ORDINALS)})({_NOUN})")
_OF_A_SYSTEM = frozenset({"system", "application"})
_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class MatrixColumns:
    """The columns of a table.

    Attributes:
        at: the index of each column.
        sides: the columns of duties that are kept apart, in order.
        systems: the column of the system of a side, by the side's index.
        tasks: the column that explains a side, by the side's index.
        unused: heads that mean nothing to an import.
        repeated: heads of which a second column has the same meaning.
    """

    at: Mapping[Column, int]
    sides: Sequence[int]
    systems: Mapping[int, int]
    tasks: Mapping[int, int]
    unused: Sequence[str]
    repeated: Sequence[str]

    @property
    def has_pairs(self) -> bool:
        return len(self.sides) > 1

    @property
    def known(self) -> int:
        """How many heads mean something."""
        return len(self.at) + len(self.sides) + len(self.systems)

    @property
    def has_risks(self) -> bool:
        """Whether each row names one duty of a risk."""
        return Column.DUTY in self.at and not self.has_pairs and bool(self._risk())

    @property
    def risk(self) -> int:
        """The column that tells which risk a row belongs to."""
        return self._risk()[0]

    def _risk(self) -> Sequence[int]:
        return [self.at[each] for each in (Column.ID, Column.TITLE) if each in self.at]


@dataclass(slots=True)
class _Heads:
    """Heads by what they mean: a column, a side with its number, or a noun without one."""

    at: dict[Column, int] = field(default_factory=dict)
    numbered: dict[str, dict[int, int]] = field(default_factory=dict)
    bare: dict[str, int] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def add(self, index: int, head: str) -> None:
        word = _NOT_A_WORD.sub("", fold(head))
        if place := _side(word):
            noun, number = place
            self._once(self.numbered.setdefault(noun, {}).setdefault(number, index), index, head)
        elif column := _COLUMNS.get(word):
            self._once(self.at.setdefault(column, index), index, head)
        elif word in _NOUNS:
            self._once(self.bare.setdefault(word, index), index, head)
        elif word:
            self.unused.append(head)

    def _once(self, known: int, index: int, head: str) -> None:
        if known != index:
            self.repeated.append(head)


def read_columns(heads: Sequence[str]) -> MatrixColumns:
    """Find out what each column of a table is for."""
    found = _Heads()
    for index, head in enumerate(heads):
        found.add(index, head)
    bare = dict(found.bare)
    if Column.DUTY in found.at:
        bare[_NOT_A_WORD.sub("", fold(heads[found.at[Column.DUTY]]))] = found.at[Column.DUTY]
    for noun, index in bare.items():
        others = found.numbered.get(noun, {})
        if 2 in others and 1 not in others:  # noqa: PLR2004 - Role beside Conflicting Role
            others[1] = index
            found.at.pop(Column.DUTY, None)
        elif noun in found.bare:
            found.unused.append(heads[index])
    return _with_sides(found.at, found.numbered, found.unused, found.repeated)


def _with_sides(
    at: Mapping[Column, int],
    numbered: Mapping[str, Mapping[int, int]],
    unused: Sequence[str],
    repeated: Sequence[str],
) -> MatrixColumns:
    """Take the first kind of heads that are numbered for the sides, and others to explain them."""
    kinds = [noun for noun in numbered if noun not in (*_OF_A_SYSTEM, "taskleg")]
    kinds = [noun for noun in (*kinds, "taskleg") if len(numbered.get(noun, {})) > 1]
    sides = numbered[kinds[0]] if kinds else {}
    numbers = sorted(sides)
    systems = next((numbered[noun] for noun in numbered if noun in _OF_A_SYSTEM), {})
    tasks = numbered.get("taskleg", {}) if kinds[:1] != ["taskleg"] else {}
    return MatrixColumns(
        at=at,
        sides=[sides[number] for number in numbers],
        systems=_by_side(numbers, systems),
        tasks=_by_side(numbers, tasks),
        unused=unused,
        repeated=repeated,
    )


def _by_side(numbers: Iterable[int], columns: Mapping[int, int]) -> Mapping[int, int]:
    return {side: columns[number] for side, number in enumerate(numbers) if number in columns}


def _side(word: str) -> tuple[str, int] | None:
    if found := _ORDINAL.fullmatch(word):
        return found[2], _ORDINALS[found[1]]
    if found := _NUMBERED.fullmatch(word):
        number = found[2]
        return found[1], int(number) if number.isdigit() else ord(number) - ord("a") + 1
    return None
