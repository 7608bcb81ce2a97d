"""What to do after a failure, as a value: come back later, or stop. Pure.

The queue's own five deliveries are for crashes; waits are asked for by re-sending the message with
a delay, because `@app.retry` is ignored on queue triggers.
"""

from __future__ import annotations

from dataclasses import dataclass

from functions.errors import InvalidMessage, RulesError, SodError, Throttled, Unavailable, Unsettled

FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 300.0
MOST_ATTEMPTS = 12  # of doubling delays: about 35 minutes in all
MOST_THROTTLED_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Retry:
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Poison:
    reason: str


type Decision = Retry | Poison


def decide(error: SodError, attempt: int) -> Decision | None:
    """Decide on a message whose work failed.

    Args:
        error: what happened.
        attempt: how often the message was re-sent already.

    Returns:
        None where only the queue's own redelivery can help, such as wrong settings.
    """
    match error:
        case InvalidMessage() | RulesError():
            return Poison(str(error))
        case Throttled() if attempt < MOST_THROTTLED_ATTEMPTS:
            return Retry(_throttle_delay(error, attempt))
        case Unavailable() | Unsettled() if attempt < MOST_ATTEMPTS:
            return Retry(_backoff(attempt))
        case Throttled() | Unavailable() | Unsettled():
            return Poison(f"given up after {attempt + 1} attempts; the last: {error}")
        case _:
            return None


def _throttle_delay(error: Throttled, attempt: int) -> float:
    """As long as Graph says, at least a second; by back-off where it says nothing."""
    return _backoff(attempt) if error.retry_after is None else max(1.0, error.retry_after)


def _backoff(attempt: int) -> float:
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(attempt, 20))
