"""How far a caller's check may go: as far as they wish, and to writing only with a role for it."""

from __future__ import annotations

from typing import Literal

from entra_sod.core.errors import NotAllowed
from entra_sod.domain.callers.caller import Caller, Role

type Wish = Literal["off", "plan", "apply"]


def within_reach(wish: Wish | None, caller: Caller) -> Wish | None:
    """Return how far to go at most; None leaves it to the app's own setting.

    Who may not write, and does not say how far to go, gets a plan.

    Raises:
        NotAllowed: the caller wishes to write, and may not.
    """
    if caller.may({Role.ENFORCE}):
        return wish
    if wish == "apply":
        raise NotAllowed(f"enforcement `apply` takes the app role {Role.ENFORCE}; ask for `plan`.")
    return wish or "plan"
