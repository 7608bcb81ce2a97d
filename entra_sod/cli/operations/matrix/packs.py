"""Rule packs: duties of a business process in our own words, read as a matrix is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

import entra_sod
from entra_sod.cli.operations.matrix.model import (
    CellPlace,
    Clause,
    Matrix,
    MatrixError,
    MatrixRule,
)
from entra_sod.core.validation import nearest
from entra_sod.domain.rules.language import Name, Severity, Text
from entra_sod.domain.text import fold


class PackRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two duties that a pack keeps apart, and why."""

    id: Name
    title: Text
    severity: Severity
    between: tuple[Name, Name]
    advice: Text


class RulePack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of `packs/`.

    Attributes:
        duties: what each duty means, in words that help to bind it.
        frameworks: the clauses that all its rules help with. None of them is claimed to be met.
    """

    process: Name
    duties: Mapping[Name, Text]
    frameworks: Sequence[Clause]
    rules: Sequence[PackRule]


def packs_folder() -> Path:
    """Return the folder of the packs: in the installed package, or in the checkout."""
    package = Path(entra_sod.__file__).parent
    installed = package / "cli" / "packs"
    return installed if installed.is_dir() else package.parent / "packs"


def pack_names() -> Sequence[str]:
    return sorted(path.stem for path in packs_folder().glob("*.yaml"))


def read_pack(name: str) -> Matrix:
    """Read a pack by its name.

    Raises:
        MatrixError: there is none of this name.
    """
    names = pack_names()
    if name not in names:
        known = ", ".join(names)
        meant = nearest(name, names) or "."
        raise MatrixError(f"There is no pack {name}{meant} The packs are {known}.")
    data = (packs_folder() / f"{name}.yaml").read_bytes()
    pack = msgspec.yaml.decode(data, type=RulePack)
    sha256 = hashlib.sha256(data).hexdigest()
    return Matrix(
        rules=[_rule(pack, number, name, sha256) for number in range(len(pack.rules))],
        meanings={fold(duty): meaning for duty, meaning in pack.duties.items()},
        remarks=(),
    )


def _rule(pack: RulePack, number: int, name: str, sha256: str) -> MatrixRule:
    rule = pack.rules[number]
    return MatrixRule(
        id=rule.id,
        duties=rule.between,
        title=rule.title,
        severity=rule.severity,
        advice=rule.advice,
        process=pack.process,
        frameworks=tuple(pack.frameworks),
        origin=CellPlace(f"packs/{name}.yaml", "", number + 1),
        sha256=sha256,
    )
