"""Everything that can go wrong, by whose turn it is to act; a subclass follows its base class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class SodError(Exception):
    """An error that entra-sod knows how to name."""


class ConfigurationError(SodError):
    """Settings are missing or wrong; every wrong one is named.

    Attributes:
        problems: one sentence for each wrong setting, naming it, never its value.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The app's settings need attention: " + " ".join(self.problems))


class RulesError(SodError):
    """Rules files have mistakes.

    Attributes:
        problems: each as `file:line:column: message`.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The rules have mistakes: " + "; ".join(self.problems))


class InvalidMessage(SodError):
    """A queue message that cannot be understood; it is kept, never retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One wrong place in a request: a JSON pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str


class InvalidRequest(SodError):
    """A request body that is JSON but not what is asked for."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in self.errors))


class CallerRefused(SodError):
    """A caller may not have what they ask for; nothing was done."""


class Unauthenticated(CallerRefused):
    """No credential that the app takes."""


class NotAllowed(CallerRefused):
    """The caller is known, and has no role for this."""


class CrossSiteRequest(CallerRefused):
    """A write that a browser sends, and that the app's own page does not prove to have sent."""


class TooManyRequests(CallerRefused):
    """The caller asks too often.

    Attributes:
        retry_after: seconds, after which a request is taken again.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class AddressRefused(SodError):
    """A callback address that is not called; the words say why and never repeat the address."""


class TooManySubscriptions(SodError):
    """A caller has as many subscriptions as one may have; none was added."""


class LimitExceeded(SodError):
    """A run would write more references than it may; it wrote nothing."""

    def __init__(self, *, planned: int, limit: int) -> None:
        self.planned, self.limit = planned, limit
        super().__init__(
            f"{planned} writes are planned and MAX_REFERENCE_WRITES allows {limit}, so nothing was "
            "written. Review the plan, then raise the setting or narrow the rules."
        )


class StorageUnavailable(SodError):
    """Azure Storage refused or did not answer."""


class NotYetConsistent(SodError):
    """Graph accepted a write but does not list it yet; the ledger keeps the intent."""


class GraphError(SodError):
    """Microsoft Graph did not give what was asked for.

    Attributes:
        status: the HTTP status, or None where no answer came.
        request_id: Graph's own id of the request, for Microsoft's support.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None
    ) -> None:
        self.status, self.request_id = status, request_id
        suffix = f" (request-id {request_id})" if request_id else ""
        super().__init__(message + suffix)


class Throttled(GraphError):
    """Graph asks for patience (429).

    Attributes:
        retry_after: seconds to wait as Graph said, or None where it did not say.
    """

    def __init__(
        self, message: str, *, retry_after: float | None, request_id: str | None = None
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, status=429, request_id=request_id)


class ThrottledLocally(Throttled):
    """The app's own rate limiter did not let the request through; Graph has not seen it."""


class ConcurrencyLimited(ThrottledLocally):
    """Graph asks for nothing: others are to be served first, as the app shares its own rate."""


class Unavailable(GraphError):
    """5xx, a timeout or a broken answer; the same request may succeed later."""


class NoToken(Unavailable):
    """The app's identity was given no token for Graph."""


class Forbidden(GraphError):
    """401 or 403: the app's identity may not do this; the thing may or may not exist."""


class Unlicensed(Forbidden):
    """403 as the tenant has no licence for entitlement management: no role mends it."""


class NotFound(GraphError):
    """404: Graph says that there is no such thing."""


class Rejected(GraphError):
    """Any other 4xx: Graph refuses the request as it stands; after a write, reading settles it."""


class UnsafeLink(GraphError):
    """A link that must not be followed: the token stays with the configured Graph root."""


class TooManyPages(UnsafeLink):
    """A list that shows nothing new any more, or has more pages than a tenant can fill."""


class Unreadable(GraphError):
    """The answer is complete JSON of an unexpected shape; the same request gets it again."""


class UnreadableItem(Unreadable):
    """An item of a list has an unexpected shape; the other items of the list were read.

    Attributes:
        what: the item, as coverage names it.
        partial: the items that were read, where the whole list was asked for at once.
    """

    def __init__(self, what: str, why: str, partial: Sequence[Any] = ()) -> None:
        self.what, self.partial = what, partial
        super().__init__(f"Graph's answer cannot be understood at {what}: {why}")


# Waiting does not mend these: what they stood in the way of is reported.
PERMANENT = (Forbidden, NotFound, Rejected, UnsafeLink, Unreadable)
