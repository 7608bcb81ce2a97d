import pytest

from entra_sod.domain.callers.keys import find_key, parse_caller_keys
from local.host.keys import Keys

KEYS = Keys(function="f", master="m")


@pytest.mark.parametrize(
    ("level", "presented", "opens"),
    [
        ("ANONYMOUS", "", True),
        ("FUNCTION", "", False),
        ("FUNCTION", "wrong", False),
        ("FUNCTION", "schlüssel", False),
        ("FUNCTION", "f", True),
        ("FUNCTION", "m", True),
        ("ADMIN", "f", False),
        ("ADMIN", "m", True),
    ],
)
def test_a_level_opens_to_its_keys(level: str, presented: str, *, opens: bool) -> None:
    """Anonymous needs none, function level any key, admin level the master key."""
    assert KEYS.open(level, presented) is opens


def test_keys_that_no_setting_gives_are_random() -> None:
    """Two hosts do not share a key by accident, and an empty setting is none."""
    first, second = Keys.of({"LOCAL_HOST_FUNCTION_KEY": ""}), Keys.of({})
    assert len({first.function, first.master, second.function, second.master}) == 4


def test_keys_come_from_settings() -> None:
    """A caller can be configured before the host is started."""
    settings = {"LOCAL_HOST_FUNCTION_KEY": "f", "LOCAL_HOST_MASTER_KEY": "m"}
    assert Keys.of(settings) == KEYS


def test_the_app_takes_the_hosts_keys() -> None:
    """What the host gives the app as its setting opens the app to both keys, and to no other."""
    keys = parse_caller_keys(Keys(function="f", master="m").setting())
    names = [found.name for key in ("f", "m", "x") if (found := find_key(keys, key))]
    assert names == ["local-host", "local-master"]
