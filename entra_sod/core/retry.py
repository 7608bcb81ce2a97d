"""What to do after a failure, as a value: come back later, or stop. Pure.

The queue's own five deliveries are for crashes; waits are asked for by re-sending the message with
a delay, because `@app.retry` is ignored on queue triggers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from entra_sod.core.errors import (
    ConcurrencyLimited,
    InvalidMessage,
    NotYetConsistent,
    RulesError,
    SodError,
    Throttled,
    Unavailable,
    Unreadable,
)

FIRST_DELAY_SECONDS = 5.0
MAX_DELAY_SECONDS = 300.0
MAX_ATTEMPTS = 12  # of doubling delays: about 35 minutes in all
MAX_THROTTLED_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """How often a message was sent again: because work failed, and because Graph throttled it.

    They are counted apart: a night of throttling leaves a failure all its tries.
    """

    failed: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    after_seconds: float
    attempts: AttemptCounts


@dataclass(frozen=True, slots=True)
class Poison:
    reason: str


type RetryDecision = Retry | Poison


def decide_retry(error: SodError, attempts: AttemptCounts) -> RetryDecision | None:
    """Decide on a message whose work failed.

    Args:
        error: what happened.
        attempts: that came before.

    Returns:
        None where only the queue's own redelivery can help, such as wrong settings.
    """
    match error:
        case InvalidMessage() | RulesError() | Unreadable():
            return Poison(str(error))
        case ConcurrencyLimited():  # its turn comes as sure as that of the others: nothing to count
            return Retry(_throttle_delay(error, 0), attempts)
        case Throttled():
            return _after_throttling(error, attempts)
        case Unavailable() | NotYetConsistent():
            return _after_failure(error, attempts)
        case _:
            return None


def _after_throttling(error: Throttled, attempts: AttemptCounts) -> RetryDecision:
    if attempts.throttled >= MAX_THROTTLED_ATTEMPTS:
        return _attempts_exceeded(error, attempts.throttled)
    return Retry(
        _throttle_delay(error, attempts.throttled),
        replace(attempts, throttled=attempts.throttled + 1),
    )


def _after_failure(error: SodError, attempts: AttemptCounts) -> RetryDecision:
    if attempts.failed >= MAX_ATTEMPTS:
        return _attempts_exceeded(error, attempts.failed)
    return Retry(backoff(attempts.failed), replace(attempts, failed=attempts.failed + 1))


def _attempts_exceeded(error: SodError, tried: int) -> Poison:
    return Poison(f"given up after {tried + 1} attempts; the last: {error}")


def _throttle_delay(error: Throttled, tried: int) -> float:
    """As long as Graph says, at least a second; by back-off where it says nothing."""
    return backoff(tried) if error.retry_after is None else max(1.0, error.retry_after)


def backoff(tried: int, longest: float = MAX_DELAY_SECONDS) -> float:
    """Double the delay with each try, up to the longest; seconds."""
    return min(longest, FIRST_DELAY_SECONDS * 2.0 ** min(tried, 20))
