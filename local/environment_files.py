"""The settings of a local world as files to source, so that the command line can use it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from local.processes import CHECKOUT
from local.world import HostProcess

FOLDER = CHECKOUT / ".local"
_STEM = "environment"
_OF_THE_HOST = "LOCAL_HOST_"
_NAME = re.compile(r"[A-Za-z_]\w*")


@contextmanager
def environment_files(
    folder: Path, environment: Mapping[str, str], host: HostProcess
) -> Iterator[Sequence[Path]]:
    """Write the files, for a POSIX shell and for PowerShell; they are gone at the end.

    Args:
        folder: that gets them.
        environment: the settings of the app in the world.
        host: that serves it.
    """
    settings = for_command_line(environment, host)
    texts = {".sh": as_shell(settings), ".ps1": as_powershell(settings)}
    files = [folder / f"{_STEM}{ending}" for ending in texts]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for file, text in zip(files, texts.values(), strict=True):
            # They hold keys, though only of this world.
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8", newline="\n")
        yield files
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def for_command_line(environment: Mapping[str, str], host: HostProcess) -> Mapping[str, str]:
    """The app's settings without those of its host, and where the app is."""
    settings = {
        name: value
        for name, value in environment.items()
        if not name.startswith(_OF_THE_HOST) and _NAME.fullmatch(name)
    }
    address = {"ENTRA_SOD_URL": f"{host.url}/api", "ENTRA_SOD_MASTER_KEY": host.master_key}
    return {**settings, **address}


def as_shell(settings: Mapping[str, str]) -> str:
    return "".join(f"export {name}={quote(value)}\n" for name, value in settings.items())


def as_powershell(settings: Mapping[str, str]) -> str:
    lines = (f"$env:{name} = '{_doubled(value)}'\n" for name, value in settings.items())
    return "".join(lines)


def _doubled(value: str) -> str:
    """Within single quotes PowerShell takes two of them for one."""
    return value.replace("'", "''")
