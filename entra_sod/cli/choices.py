"""What a person typed for an id: the whole id, the beginning of one, or a name. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from entra_sod.cli.terminal import shown
from entra_sod.core.errors import SodError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.short_ids import MIN_SHORT_ID, ids_beginning, short_ids
from entra_sod.domain.text import fold

MAX_CANDIDATES = 10
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NoSuchChoice(SodError):
    """What a person typed stands for nothing that is known; the message says where to look."""


class AmbiguousChoice(SodError):
    """What a person typed may stand for several things; the message lists them with their ids."""


def choose_id(wanted: str, known: Mapping[str, str], *, what: str, lists: str) -> str:
    """Return the id that a text is, or is the beginning of.

    Args:
        wanted: what a person typed.
        known: all ids, with words about each.
        what: the ids are of, such as `finding`.
        lists: the command that lists them.

    Raises:
        NoSuchChoice: no id begins so.
        AmbiguousChoice: several do.
    """
    found = ids_beginning(wanted, known) if wanted.strip() else []
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousChoice(_ambiguous(wanted, found, known, f"{what}s begin with"))
    raise NoSuchChoice(f"There is no {what} {shown(wanted)}. To list them: {lists}")


def choose_package(wanted: str, packages: Mapping[str, AccessPackage]) -> str:
    """Return the id of the access package that a person means by an id or a name.

    A whole id is taken as it is, also if the list does not show the package. Names compare as in
    rules, without regard to case. No name is guessed.

    Raises:
        NoSuchChoice: no package has this id or name.
        AmbiguousChoice: several have.
    """
    text = wanted.strip().lower()
    if _GUID.fullmatch(text):
        return text
    names = {key: f"{each.display_name}, in {each.catalog_name}" for key, each in packages.items()}
    found = _named(wanted, packages) or _beginning(text, packages)
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousChoice(_ambiguous(wanted, found, names, "access packages are"))
    near = did_you_mean(wanted, {each.display_name for each in packages.values()})
    raise NoSuchChoice(
        f"No access package that you may read is called {shown(wanted)}, or has an id that begins "
        f"so.{near} To look for one: entra-sod packages"
    )


def choose_rule(wanted: str, known: Collection[str], where: str) -> str:
    """Return the id of a rule, if there is such a rule.

    Raises:
        NoSuchChoice: there is none; the nearest are named.
    """
    if wanted in known:
        return wanted
    near = did_you_mean(wanted, known)
    rest = "" if near else f" Its rules are: {_some(known)}." if known else " It has no rule."
    raise NoSuchChoice(f"{where} has no rule {shown(wanted)}.{near}{rest}")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - MAX_CANDIDATES} more" if len(ordered) > MAX_CANDIDATES else ""
    return ", ".join(map(shown, ordered[:MAX_CANDIDATES])) + more


def _named(wanted: str, packages: Mapping[str, AccessPackage]) -> Sequence[str]:
    name = fold(wanted)
    return sorted(key for key, each in packages.items() if fold(each.display_name) == name)


def _beginning(text: str, packages: Iterable[str]) -> Sequence[str]:
    return ids_beginning(text, packages) if len(text) >= MIN_SHORT_ID else []


def _ambiguous(wanted: str, found: Sequence[str], words: Mapping[str, str], verb: str) -> str:
    short = short_ids(found)
    lines = [f"  {short[each]}  {shown(words[each])}" for each in found[:MAX_CANDIDATES]]
    more = [f"  and {len(found) - MAX_CANDIDATES} more"] if len(found) > MAX_CANDIDATES else []
    head = f"{len(found)} {verb} {shown(wanted)}. Say which one by its id:"
    return "\n".join([head, *lines, *more])
