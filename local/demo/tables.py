"""Facts as tables and lines that a person can read."""

import json
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from local.demo.expectations import fields
from local.demo.facts import (
    Asked,
    Checked,
    Commanded,
    Decided,
    Drifted,
    Gap,
    Holder,
    Passing,
    Reference,
    Refused,
    Resumed,
    Reviewed,
    Started,
    Swept,
    SweptPair,
    TenantSize,
)

_OUTCOMES = {"conflict": "bold red", "clear": "green", "unknown": "bold yellow"}
_DECISIONS = {"deny": "bold red", "allow": "green", "review": "bold yellow"}
_WHO = {"group": "members of", "package": "holders of"}


def running(started: Started, *, storage_port: int, tenant: str) -> RenderableType:
    ports = f"127.0.0.1, ports {storage_port} to {storage_port + 2}"
    return _block(
        _grid(
            ("storage", "Azurite: blobs, queues, tables", ports),
            ("tenant", "Microsoft Graph, simulated", tenant),
            ("app", f"on its host, ENFORCEMENT={started.enforcement}", started.address),
        )
    )


def size(tenant: TenantSize) -> str:
    return (
        f"The tenant has {tenant.packages} access packages in {tenant.catalogs} catalogs, "
        f"{tenant.people} people and {tenant.assignments} assignments."
    )


def ready(started: Started) -> str:
    """What the app reaches; the long hash of the rules is left out."""
    checks = ", ".join(name for name in started.ready if name != "rules")
    rules = started.ready.get("rules", "").removeprefix("ok: ").rpartition(", ")[0]
    return f"The app reaches {checks}, and has read {rules}."


def accepted(checked: Checked) -> RenderableType:
    return _block(
        _grid(
            ("asked", f"POST /api/checks: {checked.pair}, reference {checked.reference}"),
            ("answer", f"{checked.accepted}, Retry-After: {checked.retry_after}"),
            ("Location", checked.location),
            ("result", _outcome(checked.outcome)),
            *(("rule", rule) for rule in checked.rules),
        )
    )


def decided(found: Decided) -> RenderableType:
    asked = f"POST /api/decisions: {found.person} wants {found.wants}, reference {found.reference}"
    decision = Text(found.decision, style=_DECISIONS.get(found.decision, ""))
    return _block(
        _grid(
            ("asked", asked),
            ("decision", Text.assemble(decision, f" ({found.severity})")),
            *(("reason", each) for each in found.reasons),
            *(("holds already", each) for each in found.against),
            ("advice", found.advice or "none"),
        )
    )


def resumed(found: Resumed) -> RenderableType:
    """The call that the workflow sent, beside the documented one."""
    sent, wanted = fields(found.body), fields(found.wanted_body)
    rows = [
        (name, Text("=", style="green") if sent.get(name) == value else "differs", str(value))
        for name, value in wanted.items()
    ]
    title = f"{found.person} wants {found.wants}; the workflow resumes the request:"
    return _table(title, ("field", "documented", Column("sent", overflow="fold")), rows)


def holders(found: Sequence[Holder], *, of: str) -> RenderableType:
    rows = [(holder.person, holder.state) for holder in found]
    return _table(f"{len(rows)} people hold both:", ("person", f"assignment of {of}"), rows)


def references(title: str, found: Iterable[Reference]) -> RenderableType:
    rows = [(each.on, each.kind, f"{_WHO[each.kind]} {each.target}") for each in sorted(found)]
    return _table(title, ("on the package", "kind", "who is kept away"), rows)


def requests(asked: Sequence[Asked]) -> RenderableType:
    rows = [(each.person, each.holds or "nothing", each.wants, _answer(each)) for each in asked]
    return _table("The help desk asks Graph:", ("person", "holds", "asks for", "answer"), rows)


def reasons(asked: Iterable[Asked]) -> RenderableType:
    return _block(Text("\n".join(f"{each.status}: {each.reason}" for each in asked)))


def swept(swept: Swept) -> RenderableType:
    return _block(
        _grid(
            ("status", Text(swept.status, style="bold")),
            ("checked", f"{swept.checked} of {len(swept.pairs)} pairs"),
            ("cost", f"{swept.requests} requests to Graph"),
        )
    )


def swept_pairs(found: Iterable[SweptPair]) -> RenderableType:
    rows = [
        (str(each.pair), _outcome(each.outcome), _count(each), ", ".join(each.rules))
        for each in found
    ]
    return _table("All pairs:", ("pair", "outcome", "people", "rules"), rows)


def passing(found: Iterable[Passing]) -> RenderableType:
    rows = [(each.package, each.kind, each.rule, _held_by(each)) for each in found]
    return _table("Packages that pass rules by:", ("package", "kind", "rule", "held by"), rows)


def _held_by(each: Passing) -> str:
    if each.holders is None:
        return ""
    days = f", permitted for {each.days} day" if each.days else ""
    return f"{each.holders}{days}{'s' if each.days and each.days > 1 else ''}"


def reviewed(found: Reviewed) -> RenderableType:
    left = f"{found.left_to_write} left to write"
    return _block(
        _grid(
            ("entra-sod validate rules --offline", f"exit code {found.validated}"),
            ("entra-sod plan --out plan.json", f"exit code {found.planned}"),
            ("entra-sod apply plan.json --yes", f"exit code {found.applied}: {found.told}"),
            ("entra-sod plan", f"exit code {found.planned_again}: {left}"),
        )
    )


def held(swept: Swept) -> RenderableType:
    found = zip(swept.references.held, swept.why_held, strict=True)
    rows = [(each.on, f"{_WHO[each.kind]} {each.target}", why) for each, why in found]
    return _table(
        "References held:", ("on the package", "who is not kept away", Column("why")), rows
    )


def commands(*found: Commanded) -> RenderableType:
    """Each with its exit code, and the last line that it printed."""
    rows = [(each.command, f"exit code {each.code}: {_last_line(each.said)}") for each in found]
    return _block(_grid(*rows))


def printed(found: Commanded, *, behind: str = "") -> RenderableType:
    """A command with what it printed, or only with what it printed behind a line of before."""
    said = found.said.rpartition(behind)[2].strip() if behind else found.said
    return _block(Text(f"{found.command}: exit code {found.code}\n\n{said}"))


def stopped(swept: Swept) -> RenderableType:
    return _block(_grid(("stopped", swept.stopped or "by nothing")))


def _last_line(said: str) -> str:
    return said.rpartition("\n")[2]


def drift(found: Iterable[Drifted]) -> RenderableType:
    rows = [(each.kind, each.reference.on, str(each.reference.target)) for each in found]
    return _table("Drift that the sweep found:", ("kind", "on the package", "who"), rows)


def gaps(found: Iterable[Gap]) -> RenderableType:
    return _table("Not looked at:", ("what", "why"), found)


def problem(refused: Refused) -> RenderableType:
    answer = f"{refused.status} {refused.media_type}\n{json.dumps(refused.problem, indent=2)}"
    return _grid(("sent", json.dumps(refused.sent, indent=2)), ("answer", answer))


def _answer(asked: Asked) -> Text:
    if asked.code:
        return Text(f"{asked.status} {asked.code}", style="bold red")
    return Text(f"{asked.status} given", style="green")


def _count(swept: SweptPair) -> str:
    # It was not looked at: a zero would read as an all-clear.
    return "not known" if swept.outcome == "unknown" else str(swept.holder_count)


def _outcome(word: str) -> Text:
    return Text(word, style=_OUTCOMES.get(word, ""))


def _grid(*rows: tuple[str | Text, ...]) -> Table:
    table = Table.grid(padding=(0, 3))
    for row in rows:
        table.add_row(*row)
    return table


def _table(
    title: str, columns: Sequence[str | Column], rows: Iterable[tuple[str | Text, ...]]
) -> RenderableType:
    table = Table(
        *columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold"
    )
    for row in rows:
        table.add_row(*row)
    if not table.row_count:
        table.add_row("none")
    return _block(Group(title, table))


def _block(content: RenderableType) -> Padding:
    """Followed by an empty line."""
    return Padding(content, (0, 0, 1, 0), expand=False)
