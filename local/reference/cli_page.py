"""docs/reference/cli.md: every command, made of its docstring and its options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from entra_sod.cli.__main__ import COMMANDS
from local.reference.markdown import anchor, code, page, table

_TEXT = """
`uv tool install .` or `pipx install .` in a clone installs the command. In a clone where `make`
has run, `.venv/bin/entra-sod` is the same command. `entra-sod --install-completion` adds
completion to your shell. It reads [settings](settings.md) from the environment.

Exit codes are the same for every command that looks at a tenant: 0 nothing found, 1 an error, 2
something found, 3 not everything could be looked at. 3 wins over 2.
"""
_PLACEHOLDER = "object at 0x"
_EXIT_CODE = re.compile(r"(?:With (--[\w-]+) )?(\d): (.*?)(?= (?:With --[\w-]+ )?\d: |$)")


def cli_page() -> str:
    return page("Command line", _TEXT, *_overview(), *_commands())


def command_names() -> list[str]:
    """Every command, those of a group with the name of the group before theirs."""
    return [name for name, _ in _all_commands()]


def _all_commands() -> Iterator[tuple[str, Any]]:
    for each in (one for some in COMMANDS.values() for one in some):
        yield from _below(each.name, each.load())


def _below(name: str, command: object) -> Iterator[tuple[str, Any]]:
    children: Mapping[str, object] = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child, below in children.items():
        yield from _below(f"{name} {child}", below)


def _overview() -> Iterator[str]:
    for title, some in COMMANDS.items():
        yield f"**{title}**"
        rows = [
            (f"[`{name}`](#{anchor(_heading(name))})", _paragraphs(command)[0])
            for each in some
            for name, command in _below(each.name, each.load())
        ]
        yield table(("command", "what it does"), rows)


def _heading(name: str) -> str:
    return f"entra-sod {name}"


def _commands() -> Iterator[str]:
    for name, command in _all_commands():
        yield f"## {_heading(name)}"
        yield f"```text\n{_usage(name, command)}\n```"
        yield from map(with_exit_codes, _paragraphs(command))
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        if arguments:
            yield table(
                ("argument", "meaning"), ((_metavar(it), it.help or "") for it in arguments)
            )
        options = [each for each in command.params if each.param_type_name == "option"]
        shown = [each for each in options if not each.hidden and "--help" not in each.opts]
        if shown:
            yield table(("option", "meaning", "default"), map(_option, shown))


def _usage(name: str, command: Any) -> str:  # noqa: ANN401 - of Typer's private copy of Click
    words = [f"entra-sod {name}"]
    for each in command.params:
        if each.param_type_name == "argument":
            word = _metavar(each).strip("`")
            words.append(word if each.required else f"[{word}]")
        elif each.required:
            words.append(f"{each.opts[0]} {_metavar(each).strip('`')}")
    return " ".join([*words, "[OPTIONS]"])


def _metavar(parameter: Any) -> str:  # noqa: ANN401
    name = parameter.metavar or parameter.name.upper().replace("_", "-")
    return code(f"{name}…" if parameter.nargs == -1 and not name.endswith("…") else name)


def _option(option: Any) -> tuple[str, str, str]:  # noqa: ANN401
    names = ", ".join(code(each) for each in (*option.opts, *option.secondary_opts))
    choices = _choices(option)
    words = [option.help or ""]
    if choices:
        words.append(f"One of {', '.join(code(each) for each in choices)}.")
    if option.envvar:
        words.append(f"From `{option.envvar}` in the environment.")
    return names, " ".join(words), _default(option)


def _choices(option: Any) -> Sequence[str]:  # noqa: ANN401
    """Return the words that an option takes: the values of its enumeration."""
    members: Mapping[str, Any] = getattr(option.type_descriptor.annotation, "__members__", {})
    return [str(each.value) for each in members.values()]


def _default(option: Any) -> str:  # noqa: ANN401
    if option.required:
        return "required"
    value = getattr(option.default, "value", option.default)
    if value in (None, False, (), "") or _PLACEHOLDER in str(value) or callable(value):
        return ""
    return code(str(value))


def _paragraphs(command: Any) -> Sequence[str]:  # noqa: ANN401
    text = (command.help or "").replace("\b", "")
    return [_escaped(" ".join(each.split())) for each in re.split(r"\n\s*\n", text) if each.strip()]


def with_exit_codes(paragraph: str) -> str:
    """Make a list of a paragraph about exit codes; any other stays as it is."""
    if not paragraph.startswith("Exit code "):
        return paragraph
    items = _EXIT_CODE.findall(paragraph.removeprefix("Exit code "))
    lines = [
        f"- {number}{f' with `{option}`' if option else ''}: {text}"
        for option, number, text in items
    ]
    return "\n".join(["Exit codes:", "", *lines])


def _escaped(text: str) -> str:
    """Leave code as it is; elsewhere asterisks, angles and underlines are text."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        each if each.startswith("`") else re.sub(r"([*<>_])", r"\\\1", each) for each in parts
    )
