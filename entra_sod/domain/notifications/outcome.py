"""What came of one try to deliver, and what to do next, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from entra_sod.core.retry import Poison, backoff

DAY_SECONDS = 86_400.0
MAX_DELAY_SECONDS = 3600.0
MAX_REFUSALS = 4
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_GONE = 410


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The receiver answered.

    Attributes:
        status: of HTTP.
        retry_after: seconds to wait, where the receiver said so.
    """

    status: int
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """Nothing came back, though it may have been received."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The address may not be called, or leads where nothing is called."""

    why: str


type SendOutcome = ResponseReceived | NoResponse | NotSent


@dataclass(frozen=True, slots=True)
class Delivered:
    pass


@dataclass(frozen=True, slots=True)
class ReceiverGone:
    """The receiver wants nothing any more."""


@dataclass(frozen=True, slots=True)
class RetryDelivery:
    """One more try.

    Attributes:
        refusals: how many there were in a row, this one among them.
    """

    after_seconds: float
    why: str
    refusals: int = 0


type DeliveryDecision = Delivered | ReceiverGone | RetryDelivery | Poison


def decide_delivery(
    outcome: SendOutcome, *, tries: int, refusals: int, age_seconds: float, chance: float
) -> DeliveryDecision:
    """Decide after one try.

    Args:
        outcome: of the try.
        tries: how many there were before it.
        refusals: how many of these, up to it and in a row, were refusals.
        age_seconds: since the event; after a day nothing is tried any more.
        chance: from 0 to 1, for the jitter that keeps many deliveries apart.
    """
    match outcome:
        case ResponseReceived(status=status) if status in _SUCCESS:
            return Delivered()
        case ResponseReceived(status=status) if status == _GONE:
            return ReceiverGone()
    left, why = DAY_SECONDS - age_seconds, _words(outcome)
    if left <= 0:
        return Poison(f"given up after a day and {tries + 1} tries; the last: {why}")
    refused = refusals + 1 if _is_refusal(outcome) else 0
    if refused >= MAX_REFUSALS:
        return Poison(f"given up after {refused} refusals in a row; the last: {why}")
    return RetryDelivery(min(_delay(outcome, tries, chance), left), why, refused)


def _is_refusal(outcome: SendOutcome) -> bool:
    """Whether it is ours: what we neither follow nor call. No receiver mends that by coming back.

    A 4xx is none: a receiver that is just being deployed, or whose key is just being changed,
    answers 404 or 401, and takes the same an hour later.
    """
    match outcome:
        case ResponseReceived(status=status):
            return status in _REDIRECT
        case NotSent():
            return True
        case NoResponse():
            return False


def _delay(outcome: SendOutcome, tries: int, chance: float) -> float:
    """As long as the receiver says, at least a second; else doubling, half of it by chance."""
    if isinstance(outcome, ResponseReceived) and outcome.retry_after is not None:
        return max(1.0, outcome.retry_after)
    return backoff(tries, MAX_DELAY_SECONDS) * (0.5 + 0.5 * chance)


def _words(outcome: SendOutcome) -> str:
    match outcome:
        case ResponseReceived(status=status):
            return f"the receiver answered {status}"
        case NoResponse(why=why) | NotSent(why=why):
            return why
