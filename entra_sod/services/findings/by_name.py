"""Findings of a subject that is given by name: findings have ids alone, so it is looked up."""

from __future__ import annotations

from dataclasses import replace

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.services.findings.query import FindingsQuery, names_subject
from entra_sod.services.subjects.resolve import SubjectNotResolved, SubjectResolver


async def with_subject(query: FindingsQuery, resolver: SubjectResolver) -> FindingsQuery:
    """Put the id of a subject in the place of its name.

    Raises:
        InvalidRequest: it is not known whose the name is.
        Throttled, Unavailable: the directory cannot be asked now.
    """
    if query.subject is None or not names_subject(query):
        return query
    try:
        found = await resolver.resolve_one(query.subject)
    except SubjectNotResolved as error:
        detail = f"subject is not known: {error}"
        raise InvalidRequest([FieldError(pointer="", detail=detail)]) from error
    return replace(query, subject=found.id)
