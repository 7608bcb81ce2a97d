"""Who a person means on the command line."""

from __future__ import annotations

import re

from entra_sod.cli.choices import NoSuchChoice
from entra_sod.cli.session import Session
from entra_sod.cli.terminal import shown

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def resolve_subject(_session: Session, wanted: str) -> str:
    """Return the id of the subject that a person means.

    Args:
        wanted: the object id, or the id in entitlement management.

    Raises:
        NoSuchChoice: it is no id.
    """
    text = wanted.strip().lower()
    if _GUID.fullmatch(text):
        return text
    raise NoSuchChoice(
        f"{shown(wanted)} is not the id of a subject. Give the object id, as the user's page in "
        "the Entra admin center shows it, such as 8a9bcf03-e947-5aaa-bb34-66335e3eacaa."
    )
