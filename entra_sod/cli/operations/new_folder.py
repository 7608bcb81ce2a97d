"""The files of a new repository of rules, made of the templates that the package has. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from entra_sod.cli.operations.matrix.import_plan import (
    BINDING,
    RuleDefaults,
    RulesFolder,
    plan_import,
    rules_file,
)
from entra_sod.cli.operations.matrix.model import MAX_TEXT, Matrix, shortened
from entra_sod.cli.operations.matrix.rules_yaml import comment
from entra_sod.cli.operations.rules.format_yaml import format_yaml
from entra_sod.core.names import visible
from entra_sod.core.version import VERSION
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.yaml_text import scalar
from entra_sod.domain.text import fold

MAX_LISTED = 2000  # packages in the comment of a file
MAX_TESTED = 5  # packages of the first test
RULES, TESTS_FILE, SCHEMA = "rules/rules.yaml", "rules/tests/rules.yaml", "rules/schema.json"
PIPELINES, WORKFLOW = "azure-pipelines.yml", ".github/workflows/rules.yml"
README = "README.md"
_PLACE = re.compile("@([A-Z]+)@")
_OTHERS = {".gitignore": "gitignore", ".pre-commit-config.yaml": "pre-commit-config.yaml"}
_EXAMPLES = (("Pay invoices", "Finance"), ("Approve invoices", "Finance"))
_MEANINGS = {
    ".gitignore": "what does not belong into version control",
    ".pre-commit-config.yaml": "the same checks before each commit, with pre-commit",
    WORKFLOW: "the checks on GitHub, and the plan as a comment of a pull request",
    PIPELINES: "the checks in Azure Pipelines, and the plan",
    RULES: "the rules, with the access packages to choose from",
    SCHEMA: "the language of the rules, for editors, as `entra-sod schema` prints it",
    TESTS_FILE: "tests of the rules, which need no tenant",
}


class PipelineKind(StrEnum):
    """What runs the checks of a repository."""

    GITHUB = "github"
    AZURE_PIPELINES = "azure-pipelines"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFolder:
    """What a new repository of rules is made of.

    Attributes:
        packages: of the chosen catalogs; None without a tenant.
        catalogs: their names.
        pack: its name and its rules.
        source: of entra-sod on GitHub, as OWNER/NAME@REF.
        schema: JSON Schema of the language.
    """

    packages: Sequence[AccessPackage] | None
    catalogs: Sequence[str]
    pack: tuple[str, Matrix] | None
    pipeline: PipelineKind
    source: str
    schema: str


def new_files(folder: NewFolder, templates: Mapping[str, str]) -> Mapping[str, str]:
    """Return the text of each file by its path in the new folder.

    Args:
        folder: what is asked for.
        templates: the text of each template by its path.
    """
    files = {name: templates[template] for name, template in _OTHERS.items()}
    if folder.pipeline is PipelineKind.GITHUB:
        files[WORKFLOW] = _filled(templates["github.yml"], source=folder.source)
    if folder.pipeline is PipelineKind.AZURE_PIPELINES:
        address = f"git+https://github.com/{folder.source}"
        files[PIPELINES] = _filled(templates["azure-pipelines.yml"], install=address)
    rules = {**_rules(folder, templates), TESTS_FILE: _tests(folder, templates[TESTS_FILE])}
    files |= {name: format_yaml(SourceFile(name, text)) for name, text in rules.items()}
    files[SCHEMA] = folder.schema
    files[README] = _readme(folder, templates[README], files)
    return files


def _filled(template: str, **texts: str) -> str:
    """Put texts in the places of a template, all at once: a text may look like a place itself."""
    return _PLACE.sub(lambda found: texts[found[1].lower()], template)


def _rules(folder: NewFolder, templates: Mapping[str, str]) -> Mapping[str, str]:
    listed = "".join(f"# {each}".rstrip() + "\n" for each in _listed(folder))
    if folder.pack is None:
        return {RULES: _filled(templates[RULES], packages=listed)}
    name, matrix = folder.pack
    plan = plan_import(matrix, RulesFolder({}, ParsedRules()), name, RuleDefaults())
    texts = {**plan.files, BINDING: _before_version(plan.files[BINDING], listed)}
    mark = "# yaml-language-server: $schema=schema.json\n"
    return {f"rules/{file}": _before_version(text, mark) for file, text in texts.items()}


def _before_version(text: str, more: str) -> str:
    """Add to the head of a file. By its first line an import knows its own file, so it stays."""
    return text.replace("version: 1\n", f"{more}version: 1\n", 1)


def _listed(folder: NewFolder) -> Iterator[str]:
    """Name the packages as sides of rules have them."""
    if folder.packages is None:
        yield from ("", "Written without a tenant, so no access package is named here.")
        yield from ("To see them: entra-sod packages", "")
        return
    names = visible(", ".join(folder.catalogs))
    yield from ("", comment(f"Access packages of {names}, for sides of rules and classes:"))
    yield from (
        f"- {{id: {each.id}}}  # {comment(visible(f'{each.display_name} ({each.catalog_name})'))}"
        for each in folder.packages[:MAX_LISTED]
    )
    if len(folder.packages) > MAX_LISTED:
        yield f"and {len(folder.packages) - MAX_LISTED:,} more: entra-sod packages"
    yield ""


def _tests(folder: NewFolder, template: str) -> str:
    found = _distinct(folder.packages or ())[:MAX_TESTED]
    entries = [_entry(each) for each in found]
    entries = entries or [f"{{name: {name}, catalog: {catalog}}}" for name, catalog in _EXAMPLES]
    asked = _text(found[0].display_name) if found else _EXAMPLES[0][0]
    lines = "".join(f"  - {each}\n" for each in entries)
    return _filled(template, packages=lines, asked=asked)


def _entry(package: AccessPackage) -> str:
    name, catalog = _text(package.display_name), _text(package.catalog_name)
    return f"{{name: {name}, catalog: {catalog}, id: {package.id}}}"


def _distinct(packages: Sequence[AccessPackage]) -> Sequence[AccessPackage]:
    """Leave out packages without a name, and all but the first of each name: a test needs names."""
    by_name = {fold(each.display_name): each for each in reversed(packages)}
    return [each for each in packages if each.display_name and each in by_name.values()]


def _text(name: str) -> str:
    return scalar(shortened(name, MAX_TEXT) or "-")


def _readme(folder: NewFolder, template: str, files: Mapping[str, str]) -> str:
    meanings = dict(_MEANINGS)
    if folder.pack is not None:
        name, _ = folder.pack
        meanings |= {f"rules/{rules_file(name, 1)}": f"the rules of the pack {name}"}
        meanings |= {f"rules/{BINDING}": "which access packages give each duty of these rules"}
    rows = "".join(f"| `{each}` | {meanings[each]} |\n" for each in sorted(files))
    address = f"https://github.com/{folder.source.partition('@')[0]}"
    return _filled(template, files=rows, checks=_checks(folder), address=address)


def _checks(folder: NewFolder) -> str:
    """Say how the checks come to read the tenant."""
    where = {
        PipelineKind.GITHUB: (
            f"`{WORKFLOW}` checks the form of the files, validates and tests the rules.\n"
            f"It runs `{folder.source}`. To see plans on pull requests, set the variables\n"
            "`AZURE_CLIENT_ID` and `AZURE_TENANT_ID` of the repository: those of an app\n"
            "registration that trusts this repository by a federated credential, and that has\n"
            "*Catalog reader* on the catalogs. It needs no secret."
        ),
        PipelineKind.AZURE_PIPELINES: (
            f"`{PIPELINES}` checks the form of the files, validates and tests the rules.\n"
            f"It installs `{folder.source}`. To see plans, name a service connection in it.\n"
            "Its app needs *Catalog reader* on the catalogs."
        ),
        PipelineKind.NONE: (
            "No pipeline runs them here. The commands are `entra-sod fmt --check rules`,\n"
            "`entra-sod validate rules --offline` and `entra-sod test rules/tests`."
        ),
    }
    return where[folder.pipeline]


def default_source(owner: str = "OWNER") -> str:
    """Return where this version of entra-sod is on GitHub."""
    return f"{owner}/entra-sod@v{VERSION}"
