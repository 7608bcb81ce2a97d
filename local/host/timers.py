"""Timer triggers: NCRONTAB in UTC.

The last run is kept in memory only, where the real host keeps it in a blob (useMonitor): a run
missed while this host was down is not made up for, and IsPastDue is true only for a run by hand
whose input says so.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from croniter import croniter

from local.host.bindings import Function, TimerTrigger
from local.host.errors import BindingError
from local.host.invocations import Invocation, Invocations
from local.host.protos import TypedData

_FIELDS = frozenset({5, 6})
_NEVER = datetime.min.replace(tzinfo=UTC)


def next_run(schedule: str, after: datetime) -> datetime:
    """The first moment of an NCRONTAB schedule after another; six fields start with seconds."""
    # NCRONTAB wants day of month and day of week both to match; cron is content with one.
    moments = croniter(schedule, after, second_at_beginning=True, day_or=False)
    return moments.get_next(datetime)


def check_schedule(function: str, schedule: str) -> None:
    """Raises BindingError for a schedule that the real host would refuse."""
    if len(schedule.split()) not in _FIELDS or not croniter.is_valid(
        schedule, second_at_beginning=True
    ):
        raise BindingError(f"{function}: {schedule!r} is no NCRONTAB schedule")


class Timer:
    """The timer trigger of one function."""

    def __init__(
        self, function: Function, invocations: Invocations, clock: Callable[[], datetime]
    ) -> None:
        if not isinstance(function.trigger, TimerTrigger):
            raise TypeError(f"{function.name} has no timer trigger")
        check_schedule(function.name, function.trigger.schedule)
        self._function = function
        self._trigger = function.trigger
        self._invocations = invocations
        self._clock = clock
        self._last = _NEVER
        self._one_at_a_time = asyncio.Lock()

    async def keep_time(self) -> None:
        """Runs the function at every moment of its schedule, never twice at once."""
        if self._trigger.run_on_startup:
            await self._run_to_its_end("at startup")
        while True:
            await self._sleep_until(next_run(self._trigger.schedule, self._clock()))
            await self._run_to_its_end("on schedule")

    async def _run_to_its_end(self, reason: str) -> None:
        """A run goes on when the host stops, and the host waits for it."""
        self._running = asyncio.create_task(self.run(reason))
        await asyncio.shield(self._running)

    async def run(self, reason: str, given: str = "") -> None:
        """Runs the function once; `given` may say {"IsPastDue": true}."""
        async with self._one_at_a_time:
            now = self._clock()
            data = timer_info(self._last, next_run(self._trigger.schedule, now), now, given)
            self._last = now
            await self._invocations.run(
                self._function, Invocation(reason=reason, data=TypedData(json=data))
            )

    async def _sleep_until(self, moment: datetime) -> None:
        # A sleep may end a little early; the schedule must not be asked before its moment.
        while (seconds := (moment - self._clock()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)


def timer_info(last: datetime, following: datetime, now: datetime, given: str = "") -> str:
    """The JSON of a timer trigger, as the real host writes it."""
    info = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": last.isoformat(),
            "Next": following.isoformat(),
            "LastUpdated": (now if last == _NEVER else last).isoformat(),
        },
        "IsPastDue": False,
    }
    return json.dumps(info | _object(given))


def _object(text: str) -> dict[str, object]:
    """The fields of a JSON object; nothing for any other text."""
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
