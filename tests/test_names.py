"""One name stands for one thing, and limits are called MAX_ and MIN_."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ("entra_sod", "functions")
EVERYTHING = (*PACKAGE, "local", "tests", "benchmarks", "scripts")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
ANOTHER_WORD = re.compile(
    r"_?(?:(?:MOST|LARGEST|LONGEST|HIGHEST|DEEPEST|FARTHEST)(?:_.*)?"
    r"|(?:SMALLEST|FEWEST|SHORTEST|USUAL)(?:_.*)?|.+_AT_MOST)"
)


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def types_of(module: ast.Module) -> Iterator[str]:
    """Classes and type aliases of a module, private ones without their underscore."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_")
        elif isinstance(node, ast.TypeAlias):
            yield node.name.id.lstrip("_")
        else:
            # An alias by assignment, a NewType, a TypeVar: written like a class.
            yield from (
                each.lstrip("_")
                for each in assigned(node)
                if re.search("[A-Z][A-Za-z]*[a-z]", each)
            )


def assigned(node: ast.stmt) -> Iterator[str]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def ambiguous(found: Iterator[tuple[str, ast.Module]]) -> dict[str, list[str]]:
    homes = defaultdict[str, list[str]](list)
    for path, module in found:
        for name in types_of(module):
            homes[name].append(path)
    return {name: paths for name, paths in sorted(homes.items()) if len(paths) > 1}


def misnamed(found: Iterator[tuple[str, ast.Module]]) -> list[str]:
    return [
        f"{path}: {name}"
        for path, module in found
        for node in module.body
        for name in assigned(node)
        if CONSTANT.fullmatch(name) and ANOTHER_WORD.fullmatch(name)
    ]


def test_no_type_name_stands_for_two_things() -> None:
    """Each class and type alias of the package has a name of its own, also the private ones."""
    assert ambiguous(modules(*PACKAGE)) == {}


def test_limits_are_called_max_and_min() -> None:
    """No constant in any folder has another word for a limit than MAX or MIN."""
    assert misnamed(modules(*EVERYTHING)) == []


def test_a_name_that_stands_for_two_things_is_found() -> None:
    """The check sees classes, aliases of both kinds, and a private name beside a public one."""
    one = ast.parse("class Seen: ...\ntype Look = int\nUrl = Annotated[str, 1]\nclass Own: ...")
    two = ast.parse("class _Seen: ...\nclass Look: ...\nUrl = str\nMAX_URL = 1")
    found = ambiguous(iter([("one", one), ("two", two)]))
    assert found == {"Look": ["one", "two"], "Seen": ["one", "two"], "Url": ["one", "two"]}


@pytest.mark.parametrize(
    ("name", "is_misnamed"),
    [
        ("MOST_KEYS", True),
        ("_LARGEST_BODY", True),
        ("LONGEST", True),
        ("SHOWN_AT_MOST", True),
        ("SHORTEST_SECRET", True),
        ("MAX_KEYS", False),
        ("MIN_SECRET_LENGTH", False),
        ("LONGITUDE", False),
    ],
)
def test_a_limit_by_another_word_is_found(name: str, *, is_misnamed: bool) -> None:
    """Each of the words that stood for a limit is found, and no other."""
    found = misnamed(iter([("one", ast.parse(f"{name} = 1"))]))
    assert found == ([f"one: {name}"] if is_misnamed else [])
