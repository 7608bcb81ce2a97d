"""`entra-sod decide`: may this subject get these access packages?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, override

import typer

from entra_sod.bootstrap.make_engine import make_decision_maker
from entra_sod.cli.choices import choose_package
from entra_sod.cli.commands import PlanRulesFolder, run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import TextAs, TextFormat, print_json, tell
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.show_decision import decision_lines
from entra_sod.cli.subjects import resolve_subject
from entra_sod.cli.terminal import out
from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.decision import DecisionResult
from entra_sod.domain.rules.verdict import Decision
from entra_sod.services.decisions.request import DecisionRequest, parse_decision_request
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.stores.sweeps import SweepStore

# Not `type` statements: typer does not look behind them.
DecidedSubject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="Object id or user principal name of the subject.")
]
WantedPackages = Annotated[
    list[str],
    typer.Argument(metavar="PACKAGE...", help="Name, id or short id of each requested package."),
]

_CODES = {
    Decision.ALLOW: ExitCode.NOTHING,
    Decision.DENY: ExitCode.CHANGES,
    Decision.REVIEW: ExitCode.UNKNOWN,
}


class NoSweeps(SweepStore):
    """Stands for the app's sweeps where the environment names no storage: there are none."""

    def __init__(self) -> None:
        """Keep nothing."""

    @override
    async def last_summary(self) -> bytes | None:
        return None


def decide(
    subject: DecidedSubject,
    packages: WantedPackages,
    rules: PlanRulesFolder = Path("rules"),
    how: TextAs = TextFormat.TABLE,
) -> None:
    """Decide whether a subject may get access packages, as the app would; writes nothing.

    Reads what the subject holds, and asks the rules of the folder. Several packages are decided as
    if the subject got all of them together. A name that several packages have is an error.

    Exit code 0: allow. 2: deny. 3: review, because of a rule that only records, an exception, or
    something that could not be read. 1: an error, or an ambiguous name.
    """
    raise typer.Exit(run(_decide(subject, packages, rules, how), refused=ExitCode.UNKNOWN))


async def _decide(subject: str, wanted: Sequence[str], folder: Path, how: TextFormat) -> ExitCode:
    async with open_session() as session:
        provider = session.provider(folder)
        packages = await _packages(provider)
        chosen = dict.fromkeys(choose_package(each, packages) for each in wanted)
        given = {
            "subject": await resolve_subject(session.subjects, subject),
            "accessPackageIds": list(chosen),
        }
        result = await _ask(session, provider, parse_decision_request(given))
    if how is TextFormat.JSON:
        print_json(result)
    else:
        out.print(decision_lines(result, packages))
    return _CODES[result.decision]


async def _packages(provider: RulesProvider) -> Mapping[str, AccessPackage]:
    """Read the tenant's list for names; where it cannot be read, ids have to do."""
    try:
        return await provider.listed()
    except GraphError as error:
        tell(f"names of access packages are not known, so ids stand for them: {error}", "yellow")
        return {}


async def _ask(
    session: Session, provider: RulesProvider, request: DecisionRequest
) -> DecisionResult:
    sweeps = SweepStore(session.storage, session.clock) if session.storage else NoSweeps()
    maker = make_decision_maker(
        sweeps, session.clock, session.graph, provider, session.settings.decisions
    )
    [result] = await maker.decide([request])
    return result
