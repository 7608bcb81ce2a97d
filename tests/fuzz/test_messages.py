"""A short run of `make fuzz` over the queues."""

from __future__ import annotations

import pytest

from tests.app import App
from tests.fuzz.messages import MessageFuzzer, busy_app
from tests.services.sweeps.test_sweeps import result, start

SEED, ENOUGH = 1, 400


@pytest.mark.parametrize("on_poison", [False, True], ids=["work", "poison"])
async def test_no_message_is_lost_or_goes_round(make_app: type[App], *, on_poison: bool) -> None:
    """Each of the generated messages ends as done, or is kept as poison."""
    app, _, samples = await busy_app(make_app)
    fuzzer = MessageFuzzer(app, samples, SEED, on_poison=on_poison)
    await fuzzer.run(ENOUGH)
    assert 0 < fuzzer.kept <= ENOUGH


async def test_a_sweep_under_way_finds_what_it_finds_without_them(make_app: type[App]) -> None:
    """Generated messages neither end, stall nor change a sweep that is under way."""
    app, sweep_id, samples = await busy_app(make_app)
    await MessageFuzzer(app, samples, SEED).run(ENOUGH)
    await start(app)
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "completed"
    assert answer["pairs"] == {"total": 2, "conflict": 1, "clear": 1, "unknown": 0}
    assert answer["findings"] == 2
