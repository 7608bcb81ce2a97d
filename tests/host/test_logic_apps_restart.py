"""The HTTP action of Logic Apps and a host that dies. Apart: no other host may take the work."""

from __future__ import annotations

import time

import pytest

from tests.host.conftest import Stage
from tests.host.front_end import front_end
from tests.host.logic_apps import BODY, HttpAction, authored, is_the_verdict, result_of

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]

# Longer than it takes to see a check running and to kill its host.
HELD = {"kind": "delay", "seconds": 20}
KILLED = {"LOCAL_HOST_INVISIBILITY_SECONDS": "2"}


def test_restarted_host(world: Stage) -> None:
    """`kill -9` while a check is worked: 502 for a moment, then another host ends the check."""
    world.graph.add_faults(HELD)
    hosts = [world.start_host(auth=True, **KILLED)]
    with front_end(hosts[0].url) as front:

        def bad_night(_: float) -> None:
            last = front.seen[-1]
            if len(hosts) == 1 and (last.method, last.status) == ("GET", 202):
                hosts[0].kill()
            if last.status == 502:
                hosts.append(world.start_host(auth=True, **KILLED))
                front.app = hosts[-1].url
            time.sleep(0.2)

        action = HttpAction(authored(hosts[0].function_key), pause=bad_night)
        result = result_of(action.run(f"{front.url}/api/checks", BODY))
        statuses = [each.status for each in front.seen]
    assert is_the_verdict(result)
    assert (statuses.count(502), statuses[-1]) == (1, 200)
    assert ["finished run_check" in each.output() for each in hosts] == [False, True]
