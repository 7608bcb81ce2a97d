"""Gives the roles of a plan, one by one, and waits for identities that Entra does not know yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from entra_sod.cli.operations.roles.client import WritableRoles
from entra_sod.cli.operations.roles.plan import GrantPlan, RoleGrant, is_served
from entra_sod.core.clock import Clock
from entra_sod.core.errors import Forbidden, GraphError, NotFound, Rejected, Throttled, Unavailable

WAIT_SECONDS = 10.0
# Minutes may pass until Entra knows a new identity everywhere; how many is not documented.
MAX_ATTEMPTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFailure:
    """A role that is not given, and why."""

    grant: RoleGrant
    why: str


@dataclass(slots=True)
class GrantOutcome:
    """What became of a plan.

    Attributes:
        given: Graph took it, or shows it.
        refused: the caller may not give this one; a person with more rights must.
        failed: anything else; nothing is lost by running it again.
    """

    given: list[RoleGrant] = field(default_factory=list)
    refused: list[RoleGrant] = field(default_factory=list)
    failed: list[GrantFailure] = field(default_factory=list)


async def apply(
    roles: WritableRoles, plan: GrantPlan, clock: Clock, tell: Callable[[str], None]
) -> GrantOutcome:
    """Give every role that is missing; what is refused stands in no other's way."""
    outcome = GrantOutcome()
    for grant in plan.missing:
        try:
            await _assign(roles, grant, clock, tell)
            outcome.given.append(grant)
        except Forbidden:
            outcome.refused.append(grant)
        except GraphError as error:
            outcome.failed.append(GrantFailure(grant=grant, why=str(error)))
    return outcome


async def _assign(
    roles: WritableRoles, grant: RoleGrant, clock: Clock, tell: Callable[[str], None]
) -> None:
    """Give a role, whatever the answer was: what Graph shows decides.

    Raises:
        GraphError: it is not given, and waiting did not help or does not.
    """
    for tries in range(1, MAX_ATTEMPTS + 1):
        try:
            await roles.assign(grant.assignment)
        except Forbidden:
            raise
        except (Rejected, NotFound, Throttled, Unavailable) as error:
            if await _is_shown(roles, grant):
                return
            if tries == MAX_ATTEMPTS:
                raise
            seconds = _seconds(error)
            tell(f"waiting {seconds:.0f} s for {grant.who} ({grant.principal_id}): {error}")
            await clock.sleep(seconds)
        else:
            return


async def _is_shown(roles: WritableRoles, grant: RoleGrant) -> bool:
    try:
        return is_served(grant, await roles.of_principal(grant.principal_id))
    except (Throttled, Unavailable, NotFound, Rejected):
        return False


def _seconds(error: GraphError) -> float:
    asked = error.retry_after if isinstance(error, Throttled) else None
    return max(asked or 0.0, WAIT_SECONDS)
