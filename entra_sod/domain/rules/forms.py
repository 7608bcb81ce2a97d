"""What can be wrong with the form of a rule, by its own words alone. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.class_cycles import told_circle
from entra_sod.domain.rules.language import Rule, RuleForm, Side

MAX_SIDES = 100
_FORMS = ", ".join(form.value for form in RuleForm)


def form_mistakes(rule: Rule) -> Iterator[Mistake]:
    """Everything that is wrong with the form of a rule, at its place."""
    if not rule.forms:
        yield Mistake((), f"needs one of {_FORMS}")
        return
    if len(rule.forms) > 1:
        given = " and ".join(form.value for form in rule.forms)
        yield Mistake((), f"has {given}: a rule has one of {_FORMS}, so split it")
    if rule.form is not RuleForm.AT_MOST:
        yield from _number_mistakes(rule)
        yield from _holding_mistakes(rule)
        yield from _pair_mistakes(rule)


def _number_mistakes(rule: Rule) -> Iterator[Mistake]:
    sides, form = len(rule.sides), rule.form
    place = ("atMostSides", "of") if form is RuleForm.AT_MOST_SIDES else (form.value,)
    if sides < 2:  # noqa: PLR2004 - apart takes two
        yield Mistake(place, "needs two sides or more to keep apart")
    elif sides > MAX_SIDES:
        detail = f"has more than {MAX_SIDES} sides: atMost with a count of 1 keeps each from each"
        yield Mistake(place, detail)
    elif form is RuleForm.AT_MOST_SIDES and rule.allowed >= sides:
        detail = (
            f"must be less than the number of sides, {sides}: a subject cannot be on more sides"
        )
        yield Mistake(("atMostSides", "count"), detail)


def _holding_mistakes(rule: Rule) -> Iterator[Mistake]:
    """Groups where only held packages count: the app does not look up who is in a group."""
    for path, side in rule.placed_sides:
        if side.every and not side.may_have_packages:
            yield Mistake((*path, "every"), "needs packages: it means all of them")
        elif side.groups and rule.is_found_only:
            why = _why_packages_only(rule)
            yield Mistake((*path, "groups"), f"cannot count here, because {why}: give packages")


def _why_packages_only(rule: Rule) -> str:
    if any(side.needs_several for side in rule.sides):
        return "a side has every: true, and members of groups are not read"
    return f"{rule.form.value} looks at what is held, and members of groups are not read"


def _pair_mistakes(rule: Rule) -> Iterator[Mistake]:
    sides = rule.sides
    if len(sides) < 2:  # noqa: PLR2004 - said already
        return
    if not any(side.may_have_packages for side in sides):
        if not rule.is_found_only:
            yield Mistake((rule.form.value,), "keeps nothing apart: no side has a package")
    elif _is_one_package_against_itself(sides):
        what = (
            "requires nothing: both sides are the same package"
            if rule.form is RuleForm.REQUIRES
            else "keeps nothing apart: all sides are the same package"
        )
        yield Mistake((rule.form.value,), what)


def _is_one_package_against_itself(sides: Sequence[Side]) -> bool:
    if any(side.groups or side.classes or side.reads_grants for side in sides):
        return False
    selectors = {selector for side in sides for selector in side.packages}
    return len(selectors) == 1 and all(selector.id for selector in selectors)


def find_requirement_circles(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Find circles of `requires` over sides as they are written, in whatever order."""
    return find_circles(
        (rule.id, _side_key(rule.requires.when), _side_key(rule.requires.needs))
        for rule in rules
        if rule.requires is not None
    )


def _side_key(side: Side) -> Hashable:
    by_id = frozenset(side.packages), frozenset(side.groups), frozenset(side.classes)
    return by_id, frozenset(side.grants), side.alike, side.every


def find_circles(needs: Iterable[tuple[str, Hashable, Hashable]]) -> Iterator[tuple[str, str]]:
    """Find each way from a side back to itself, once, told at the rule that closes it.

    Args:
        needs: rules by their ids, each from the side that needs another one to that one.
    """
    edges: dict[Hashable, list[tuple[str, Hashable]]] = {}
    for rule, when, needed in needs:
        edges.setdefault(when, []).append((rule, needed))
    done: set[Hashable] = set()
    for start in edges:
        if start not in done:
            yield from _circles_from(start, edges, done)


def _circles_from(
    start: Hashable, edges: Mapping[Hashable, Sequence[tuple[str, Hashable]]], done: set[Hashable]
) -> Iterator[tuple[str, str]]:
    way: dict[Hashable, int] = {start: 0}  # the sides on the way, each with its place
    rules, turns = list[str](), [iter(edges[start])]
    while turns:
        rule, side = next(turns[-1], ("", None))
        if side is None:
            turns.pop()
            done.add(way.popitem()[0])
            del rules[-1:]
        elif side in way:
            circle = [*rules[way[side] :], rule]
            yield rule, f"leads in a circle: {told_circle([*circle, circle[0]])}"
        elif side in edges and side not in done:
            way[side] = len(way)
            rules.append(rule)
            turns.append(iter(edges[side]))
