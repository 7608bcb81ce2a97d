"""`entra-sod validate`, as people and pipelines call it."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from entra_sod.cli.__main__ import app
from entra_sod.cli.schema import rules_schema
from entra_sod.domain.rules.document import MAX_FILE_BYTES, decode
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import (
    APP_CLIENT,
    APPROVE,
    GUEST,
    GUEST_NAME,
    PAY,
    PAYERS,
    READER_CLIENT,
    UNKNOWN,
)
from tests.builders import guid

ROOT = Path(__file__).parent.parent.parent
TEN_MISTAKES = Path(__file__).parent / "ten_mistakes.yaml"
LINE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)")


def rules_of(*sides: str, mode: str = "enforce", rule_id: str = "r1", more: str = "") -> str:
    """A file of one rule, whose sides are given in YAML's short form."""
    between = "".join(f"      - {side}\n" for side in sides)
    return (
        f"version: 1\nrules:\n  - id: {rule_id}\n    title: One\n    severity: high\n"
        f"    owner: o@example.com\n    mode: {mode}\n    between:\n{between}{more}"
    )


def side_of(package: str) -> str:
    return f"packages: [{{id: {package}}}]"


GOOD = rules_of(side_of(guid("a")), side_of(guid("b")))


def run(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], env=env)


def offline(path: Path) -> list[str]:
    """What validate says of a file by itself, without the file's name."""
    return [
        line.removeprefix(f"{path}:")
        for line in run("validate", path, "--offline").stdout.splitlines()
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def test_ten_different_mistakes_are_named_in_one_run() -> None:
    """Each mistake of the file stands in the output with the line and column it is at."""
    found = {
        match["line"] + ":" + match["column"]: match["message"]
        for line in run("validate", TEN_MISTAKES, "--offline").stdout.splitlines()
        if (match := LINE.fullmatch(line))
    }
    expected = {
        "4:14": "lead in a circle: payers → makers → payers",
        "10:15": "severity must be low, medium, high or critical; did you mean high?",
        "15:25": "must be a GUID",
        "16:5": "owner is missing",
        "18:5": "titel is not known here; did you mean title?",
        "31:19": "payrs is no class; did you mean payers?",
        "32:9": "r3 exists already",
        "38:7": "needs two sides",
        "41:11": "r9 is no rule",
        "43:11": "must be a date that exists",
        "47:17": "approvedBy must differ from requestedBy",
        "52:12": "warning: exceptions.1.until has passed",
        "54:5": "reason is given twice",
    }
    assert found.keys() == expected.keys()
    for place, words in expected.items():
        assert words in found[place]


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["rules", "--offline"], 0, "", "0 mistakes, 0 warnings in 1 file"),
        (["tests/cli/ten_mistakes.yaml", "--offline"], 1, "mistakes.yaml:4:14: ", "12 mistakes, 1"),
        (["no/such/place", "--offline"], 1, "", "path 'no/such/place' does not exist"),
        (["docs", "--offline"], 1, "docs:1:1: has no YAML file", "1 mistake, "),
        (["--offline"], 1, "", "Missing argument 'PATH'"),
        (["rules", "--ofline"], 1, "", "No such option"),
    ],
)
def test_exit_codes_are_for_pipelines(
    arguments: list[str], code: int, out: str, err: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 for no mistake, 1 for mistakes and for a wrong call, each with its words."""
    monkeypatch.chdir(ROOT)
    done = run("validate", *arguments)
    assert (done.exit_code, "Traceback" in done.stderr) == (code, False)
    assert out in done.stdout
    assert err in done.stderr


def test_warnings_alone_do_not_fail(file: Path) -> None:
    """A file that is only doubtful is named as such and exits with 0."""
    file.write_text("classes: {spare: {packages: [{name: Pay}]}}\n" + GOOD)
    result = run("validate", file, "--offline")
    assert result.exit_code == 0
    assert result.stdout == f"{file}:1:11: warning: classes.spare is used by no rule\n"


def test_names_are_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a folder are named from where the user stands, in order, and each once."""
    folder = tmp_path / "rules" / "deep"
    folder.mkdir(parents=True)
    (folder / "b.yml").write_text("version: 2\n")
    (folder / "a.yaml").write_text("version: 2\n")
    (folder / "schema.json").write_text("{")
    (folder / "tests").mkdir()
    (folder / "tests" / "of-rules.yaml").write_text("people: []\n")
    monkeypatch.chdir(tmp_path)
    result = run("validate", "rules", "./rules/deep/b.yml", "--offline")
    assert result.stdout.splitlines() == [
        "rules/deep/a.yaml:1:10: version must be 1",
        "rules/deep/b.yml:1:10: version must be 1",
    ]


def test_bytes_that_are_no_text_are_told_apart(tmp_path: Path) -> None:
    """A file that is not UTF-8 has its place, and the others are read all the same."""
    (tmp_path / "a.yaml").write_bytes(b"version: 1\n# caf\xe9\n")
    (tmp_path / "b.yaml").write_text(GOOD + "exceptions: 7\n")
    result = run("validate", tmp_path, "--offline")
    assert result.exit_code == 1
    assert (
        f"{tmp_path}/a.yaml:2:6: not UTF-8: byte 0xE9, which is é in Windows-1252" in result.stdout
    )
    assert f"{tmp_path}/b.yaml:11:13: exceptions must be a list" in result.stdout


def test_a_huge_file_is_refused_unread(file: Path) -> None:
    """Of ten megabytes no more is read than shows that they are too many, let alone parsed."""
    offline(file)  # what the first call imports is not what the file takes
    file.write_bytes(b"- x\n" * 2_500_000)
    tracemalloc.start()
    try:
        assert offline(file) == [f"1:1: a rules file may have {MAX_FILE_BYTES} bytes; split it"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MAX_FILE_BYTES


def test_a_file_that_the_system_refuses_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system refuses is a problem of that file, without a traceback."""
    file.write_text(GOOD)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert offline(file) == ["1:1: cannot be read: Permission denied"]


def test_a_link_to_nowhere_is_no_path(tmp_path: Path) -> None:
    """A link whose target is gone is a wrong call, not a file without mistakes."""
    broken = tmp_path / "gone.yaml"
    broken.symlink_to(tmp_path / "nowhere")
    assert run("validate", broken, "--offline").exit_code == 1


def online(simulator: Simulator, certificates: Path, path: Path, **more: str) -> Result:
    env = {**simulator.settings, "SSL_CERT_FILE": str(certificates), **more}
    return run("validate", path, env=env)


def test_rules_are_held_against_the_tenant(
    simulator: Simulator, few_certificates: Path, file: Path
) -> None:
    """With a tenant, unknown packages and patterns that fit nothing are mistakes."""
    file.write_text(
        rules_of(
            side_of(PAY),
            f"packages: [{{id: {UNKNOWN}}}, {{name: 'Nothing *'}}]",
            "packages: [{catalog: 'fin*', name: '?pprove'}]",
        )
    )
    result = online(simulator, few_certificates, file)
    side = "rules.0.between.1"
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:10:25: {side}.packages.0.id is no access package that this identity may read",
        f"{file}:10:64: {side}.packages.1 fits no access package",
    ]


def test_good_rules_fit_the_tenant(
    simulator: Simulator, few_certificates: Path, file: Path
) -> None:
    """Rules that name what is there have no mistake, and only reads were made."""
    file.write_text(rules_of(side_of(PAY), side_of(APPROVE)))
    result = online(simulator, few_certificates, file)
    assert (result.exit_code, result.stdout) == (0, "")
    posted = {each["target"] for each in simulator.requests("POST")}
    assert all(each.endswith("/$batch") for each in posted)
    assert {each["method"] for each in simulator.control.requests() if each["batch"]} == {"GET"}


@pytest.mark.parametrize(
    ("more", "tokens", "words"),
    [
        ({"GRAPH_ROOT": "http://127.0.0.1:9"}, 1, "list of packages"),
        ({"GRAPH_CLOUD": "mars"}, 0, "GRAPH_CLOUD must be global, usgov"),
        ({"IDENTITY_HEADER": "of-another-app"}, 0, "No token for Graph"),
    ],
)
def test_a_tenant_out_of_reach_is_one_line(
    simulator: Simulator, few_certificates: Path, more: dict[str, str], tokens: int, words: str
) -> None:
    """After who asks, the reason and the way out are said once; the rest was checked."""
    result = online(simulator, few_certificates, TEN_MISTAKES, **more)
    *who, first, summary = result.stderr.splitlines()
    assert [each[:3] for each in who] == ["as "] * tokens
    assert result.exit_code == 1
    assert words in first
    assert first.endswith(" Use --offline to check what needs no tenant.")
    assert summary == "12 mistakes, 1 warning in 1 file"
    assert "r9 is no rule" in result.stdout


def lines_of(data: bytes) -> int:
    text = data.decode("utf-8-sig", errors="replace")
    return len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text))


def assert_answers_within(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    result = run("validate", path, "--offline")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 1)
    for line in result.stdout.split(f"{path}:")[1:]:
        number, column, _ = line.split(":", 2)
        assert 1 <= int(number) <= lines_of(data)
        assert int(column) >= 1


FIELDS = {
    field for kind in rules_schema()["$defs"].values() for field in kind.get("properties", ())
}
WORDS = st.sampled_from(sorted(FIELDS))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["r1", guid("a"), "2026-02-30", "2026-02-03", "enforce", "<<", "=", "*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.integers() | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.slow
@many
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_random_bytes_never_crash_it(file: Path, data: bytes) -> None:
    """Whatever the bytes are, the answer is a list of places in the file."""
    assert_answers_within(data, file)


@pytest.mark.slow
@many
@given(st.dictionaries(WORDS, VALUES, max_size=4))
def test_documents_of_the_wrong_shape_never_crash_it(file: Path, value: object) -> None:
    """The language's own words in wrong places are mistakes with places."""
    assert_answers_within(yaml.safe_dump({"version": 1, **_mapping(value)}).encode(), file)


def _mapping(value: object) -> dict[object, object]:
    return value if isinstance(value, dict) else {}


@pytest.mark.slow
@many
@given(st.data())
def test_mutated_rules_never_crash_it(file: Path, data: st.DataObject) -> None:
    """A good file with a piece cut out and another put in is answered within its lines."""
    source = TEN_MISTAKES.read_text()
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 40)))
    piece = data.draw(
        st.text(alphabet=":-[]{}#&*!|>'\"%@`?, \n\t\r~=<0x_é\u2028", max_size=6)
        | st.sampled_from(["!!bool x", "!!int ''", "&a [*a]", "? [x]\n: y\n", "<<: {a: 1}", "7: 7"])
    )
    assert_answers_within((source[:start] + piece + source[end:]).encode(), file)


def test_bytes_that_are_no_rules_file_are_placed() -> None:
    """Both kinds of bytes that are no rules file have their own words."""
    assert "split it" in str(decode("f", b" " * (MAX_FILE_BYTES + 1)))
    assert (
        str(decode("f", b"a\r\nb\xff"))
        == "f:2:2: not UTF-8: byte 0xFF, which is ÿ in Windows-1252: save as UTF-8"
    )


EXCEPTION = """
exceptions:
  - id: EX-1
    rule: r1
    subject: {subject}
    from: 2026-01-01
    control: watch
    reason: Year-end closing
    requestedBy: The team
    approvedBy: {approver}
controls:
  - {{id: watch, title: A second look, owner: controls@contoso.com, days: 366, evidence: A list}}
"""


@pytest.mark.parametrize(
    ("subject", "approver", "said"),
    [
        ("Ada", "Controls", "or a user principal name, such as ada@contoso.com"),
        ("ada@contoso.com", "ADA@contoso.com", "must differ from the subject"),
        (f"{GUEST}\n    upn: ada@contoso.com", "Ada@Contoso.com", "must differ from the subject"),
        ("ada@contoso.com\n    upn: ada@contoso.com", "Controls", "stands beside an id"),
    ],
)
def test_a_name_of_a_subject_is_checked_without_a_tenant(
    tmp_path: Path, subject: str, approver: str, said: str
) -> None:
    """What it may be, and that another person approved."""
    file = tmp_path / "rules.yaml"
    sides = [f"packages: [{{id: {each}}}]" for each in (PAY, APPROVE)]
    more = EXCEPTION.format(subject=subject, approver=approver)
    file.write_text(rules_of(*sides) + more)
    result = CliRunner().invoke(app, ["validate", "--offline", str(file)])
    assert result.exit_code == 1, result.output
    assert said in result.stdout


@pytest.mark.parametrize(
    ("client", "subject", "approver", "code", "said"),
    [
        (APP_CLIENT, GUEST_NAME, "Controls", 3, "exception EX-1 of rule r1: the directory could"),
        (READER_CLIENT, GUEST_NAME, "Controls", 0, ""),
        (READER_CLIENT, "no@contoso.example", "Controls", 3, "has no user no@contoso.example"),
        (READER_CLIENT, GUEST, f"'{GUEST_NAME}'", 1, "is the subject itself"),
        (READER_CLIENT, f"{PAYERS}\n    upn: '{GUEST_NAME}'", "Controls", 0, f"is {GUEST} now"),
    ],
)
def test_a_name_of_a_subject_is_looked_up(  # noqa: PLR0917 - parameters of the test
    simulator: Simulator,
    few_certificates: Path,
    tmp_path: Path,
    client: str,
    subject: str,
    approver: str,
    code: int,
    said: str,
) -> None:
    """An exception for a name that is not resolved is not known; one of one's own is a mistake."""
    file = tmp_path / "rules.yaml"
    sides = [f"packages: [{{id: {each}}}]" for each in (PAY, APPROVE)]
    quoted = f"'{subject}'" if subject == GUEST_NAME else subject
    file.write_text(rules_of(*sides) + EXCEPTION.format(subject=quoted, approver=approver))
    result = online(simulator, few_certificates, file, AZURE_CLIENT_ID=client)
    assert (result.exit_code, said in result.output) == (code, True), result.output
