"""Examples of commands, as their help shows them. Each line is one that works as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SUBJECT = "8a9bcf03-e947-5aaa-bb34-66335e3eacaa"
_URL = "--url https://app.example.com/api"

# By the words of the command. A line has at most 76 characters, so that a terminal folds none.
EXAMPLES: Mapping[str, Sequence[str]] = {
    "adopt": ("adopt --dry-run", "adopt --rule pay-and-approve --yes"),
    "apply": ("apply plan.json", "apply plan.json --yes --allow-growth 10"),
    "connector": ("connector --out infra/connector --host app.example.com",),
    "decide": (
        f'decide {_SUBJECT} "Pay invoices"',
        f"decide {_SUBJECT} 2506aef1 d5d99728",
    ),
    "doctor": ("doctor", f"doctor {_URL} --format json"),
    "drift": ("drift", "drift --format csv"),
    "erase": (f"erase --subject {_SUBJECT}", f"erase --subject {_SUBJECT} --erase"),
    "evidence verify": ("evidence verify", "evidence verify --folder copies --first 100"),
    "exceptions": ("exceptions rules", "exceptions rules --within 90 --format csv"),
    "explain": ("explain 1f0c2d3e", f"explain 1f0c2d3e {_URL}"),
    "export matrix": ("export matrix", "export matrix --format xlsx --out matrix.xlsx"),
    "findings": (
        "findings --state open --severity high,critical",
        'findings --package "Pay invoices" --format csv',
    ),
    "fmt": ("fmt", "fmt rules --check"),
    "freeze": ('freeze --reason "Audit of 28 November"',),
    "grant": (
        "grant --catalogs Finance --device-code",
        "grant --catalogs Finance,Procurement --device-code --yes",
    ),
    "grants": ('grants --package "Pay invoices"', "grants --app Payments --long"),
    "hook install": ("hook install --catalog Finance",),
    "hook plan": ("hook plan --catalog Finance",),
    "hook remove": ("hook remove --catalog Finance",),
    "import matrix": (
        "import matrix matrix.xlsx",
        "import matrix risks.csv --word P1=critical --owner ann@contoso.com",
    ),
    "import pack": ("import pack procure-to-pay",),
    "import references": (
        "import references",
        "import references --catalog Finance --owner ann@contoso.com",
    ),
    "init": ("init sod-rules --catalog Finance", "init sod-rules --pack procure-to-pay --offline"),
    "inventory": ("inventory", "inventory --rules rules --format csv"),
    "login": ("login", "login --tenant contoso.com --device-code"),
    "logout": ("logout",),
    "openapi": ("openapi",),
    "packages": ("packages pay --long", 'packages "Approve *" --catalog Finance --format csv'),
    "plan": ("plan", "plan --out plan.json", "plan --format markdown"),
    "redrive": ("redrive --queue sweep-pairs", "redrive --id sweep-20261128 --yes"),
    "report": ("report --out report.html", "report --out report.html --from report.json"),
    "rollback": (
        "rollback --since 2h --dry-run",
        "rollback --run sweep-20261128T020000Z",
        "rollback --rule pay-and-approve --max 100",
    ),
    "rules push": ("rules push sod-rules --rules rules",),
    "rules show": ("rules show", "rules show --rule pay-and-approve --people"),
    "schema": ("schema",),
    "selection approve": ("selection approve", "selection approve --rule pay-and-approve --yes"),
    "selection show": ("selection show", "selection show --rule pay-and-approve"),
    "sweep": (f"sweep {_URL}", f"sweep {_URL} --no-wait"),
    "test": ("test tests/payments.yaml", "test tests --format junit"),
    "unadopt": ("unadopt --dry-run", "unadopt --rule pay-and-approve --yes"),
    "unfreeze": ("unfreeze",),
    "validate": ("validate rules", "validate rules --offline --format sarif"),
    "whoami": ("whoami",),
}


def examples_of(command: str) -> str:
    """Return the text that stands at the end of a command's help; empty without examples."""
    lines = [f"  entra-sod {each}" for each in EXAMPLES.get(command, ())]
    # Click folds no paragraph that begins with this character.
    return "\n".join(["\b", "Examples:", *lines]) if lines else ""
