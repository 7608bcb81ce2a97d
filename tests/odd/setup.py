"""The app and its commands, with the real Graph client, on the odd tenant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
from typer.testing import CliRunner, Result

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.domain.rules.language import PackageSelector, References, Rule, RulesFile, Side
from functions.http.decisions import decide
from tests.app import App, FlakyGraph, body_of
from tests.builders import rule
from tests.services.decisions.test_decisions import post
from tests.services.sweeps.test_sweeps import sweep


def between(one: str, other: str, rule_id: str = "r", **more: Any) -> Rule:
    """A rule between two packages, by their ids."""
    sides = [Side(packages=[PackageSelector(id=UUID(each))]) for each in (one, other)]
    return rule(rule_id, *sides, **{"references": References.PACKAGES, **more})


class OddApp(App):
    """The app in memory, all but Graph, which is the simulator's."""

    def __init__(self, graph: GraphClient, *rules: Rule, **settings: str) -> None:
        super().__init__([], {}, rules)
        self.graph = cast("FlakyGraph", graph)
        self.configure(**settings)

    async def check_ids(self, first: str, second: str) -> dict[str, Any]:
        pair = {"accessPackageId": first, "incompatibleAccessPackageId": second}
        answer = await self.post(pair)
        await self.work_off()
        return body_of(await self.get(body_of(answer)["id"]))

    async def swept(self) -> dict[str, Any]:
        return await sweep(self)

    async def decided(self, subject: str, wanted: str) -> dict[str, Any]:
        return body_of(await post({"subject": subject, "accessPackageId": wanted}, decide))


class Commands:
    """The command line on a folder of rules."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self.environment = folder, environment

    def write(self, *rules: Rule) -> None:
        content = msgspec.json.encode(RulesFile(version=1, rules=list(rules)))
        (self._folder / "rules.yaml").write_bytes(content)

    def write_json(self, rules: Sequence[dict[str, Any]]) -> None:
        content = {"version": 1, "rules": rules}
        (self._folder / "rules.yaml").write_text(json.dumps(content, ensure_ascii=False))

    def run(self, command: str, *arguments: str) -> Result:
        folder = str(self._folder)
        where = [folder] if command == "validate" else ["--rules", folder]
        return CliRunner().invoke(entra_sod, [command, *where, *arguments], env=self.environment)
