"""`hanse contract`: templates written, checked and tested as files, and tried on a firm's own history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Group
from rich.text import Text

from hanse.cli.replay import _pair
from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, table
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.node.node import read_about
from hanse.node.read_path import STATE
from hanse.rooms.contracts.compiled import refused_of
from hanse.rooms.contracts.library import names, text_of
from hanse.rooms.contracts.simulate import Simulated, simulate
from hanse.rooms.contracts.terms import Template, TermsRefused, compile_template, run_example
from hanse.rooms.contracts.terms.values import show_money
from hanse.rooms.parties.facts import HOMES, MEMBERS

RUNS_SHOWN = 40


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="contract", help="Write, check, test and simulate contract templates.")
    for command in (new, check, test):
        group.command(command)
    group.command(simulate_command, name="simulate")
    app.command(group)


def _text(file: Path) -> str:
    """Refuses: contract.no_file."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("contract.no_file", f"the file does not read: {error}", got=file) from None


def _compiled(file: Path) -> Template:
    """Refuses: contract.no_file, terms.*."""
    try:
        return compile_template(_text(file))
    except TermsRefused as refused:
        raise refused_of(refused) from None


def new(file: Path, *, like: str = "late-delivery") -> Answer:
    """Write a new template file, beginning from one of the library.

    Parameters
    ----------
    file
        The file to write; it must not be there yet.
    like
        The library's template to begin from.
    """
    if like not in names():
        raise Refused(
            "contract.unknown_template", "the library has no such template", got=like, expected=", ".join(names())
        )
    if file.exists():
        raise Refused("contract.file_stands", "this file is there already", got=file, next="name another file")
    file.write_text(text_of(like), encoding="utf-8")
    return Answer({"file": str(file), "like": like}, f"{file} written, like {like}. Next: hanse contract check {file}")


def check(file: Path, *, param: Annotated[tuple[str, ...], Parameter(name=["--set"], negative="")] = ()) -> Answer:
    """Check a template as its registration would: form, kinds, cost, prose against rules, examples.

    Parameters
    ----------
    file
        The template (YAML).
    param
        A parameter as NAME=VALUE; with all of them the contract's prose is shown.
    """
    template = _compiled(file)
    document = template.document
    prose: list[str] = []
    if param:
        try:
            prose = template.bind(dict(_pair(text) for text in param)).prose()
        except TermsRefused as refused:
            raise refused_of(refused) from None
    said = {
        "template": template.name,
        "version": template.version,
        "sha256": template.sha256,
        "roles": template.roles,
        "params": [param.name for param in document.params],
        "clauses": [clause.id for clause in template.clauses],
        "examples": len(document.examples),
        "warnings": template.warnings,
        "prose": prose,
    }
    rows = [(clause.id, clause.cost, ", ".join(clause.spec.when.events) or f"timer {clause.spec.when.timer}")
            for clause in template.clauses]  # fmt: skip
    parts: list[Any] = [
        Text(f"{document.title} ({template.name} {template.version}) can be registered as\n{template.sha256}\n"),
        table("clause", "cost at most", "when", rows=rows),
        Text(f"\n{len(document.examples)} examples come out as written."),
        *(Text(f"look at: {warning}") for warning in template.warnings),
        *(Text(f"\n{sentence}") for sentence in prose),
    ]
    return Answer(said, Group(*parts))


def test(file: Path) -> Answer:
    """Run a template's examples, and show each step of each. Exit code 1 where one does not come out.

    Parameters
    ----------
    file
        The template (YAML).
    """
    try:
        template = compile_template(_text(file))
    except TermsRefused as refused:
        if refused.code != "terms.example":
            raise refused_of(refused) from None
        document = {"ok": False, "message": refused.message, "got": refused.got, "expected": refused.expected}
        told = f"does not come out: {refused.message}\n  got       {refused.got}\n  expected  {refused.expected}"
        return Answer(document, told, WRONG)
    rows, said = [], []
    for example in template.document.examples:
        result = run_example(template, example)
        steps = {name: value for name, value in result.steps.items()} if result is not None else {}
        rows.append((example.title, "comes out", ", ".join(f"{name} {value}" for name, value in steps.items())))
        said.append({"example": example.title, "ok": True, "steps": {k: _json(v) for k, v in steps.items()}})
    return Answer({"ok": True, "examples": said}, table("example", "", "steps, in base units", rows=rows), DONE)


def _json(value: Any) -> Any:
    return msgspec.to_builtins(value) if not isinstance(value, tuple) else [_json(part) for part in value]


def simulate_command(
    file: Path,
    *,
    party: Annotated[str, Parameter(name="--as")],
    partner: str = "",
    param: Annotated[tuple[str, ...], Parameter(name=["--set"], negative="")] = (),
    data: Data = HERE,
) -> Answer:
    """What a template would have given on a firm's own deliveries, before anybody signs it.

    Parameters
    ----------
    file
        The template (YAML).
    party
        Whose history: a party whose home this node holds.
    partner
        Only deliveries from or to this partner.
    param
        A parameter as NAME=VALUE.
    """
    template = _compiled(file)
    try:
        terms = template.bind(dict(_pair(text) for text in param))
    except TermsRefused as refused:
        raise refused_of(refused) from None
    read_about(data)
    conn = connect(str(data / STATE), read_only=True)
    try:
        found = simulate(_view(conn, party), terms, partner=partner)
    finally:
        conn.close()
    return Answer(msgspec.to_builtins(found), _told(found, terms.decimals))


def _view(conn: Any, party: str) -> View:
    """A party's own view of a node's state. Refuses: contract.no_home."""
    circles = [row[0] for row in conn.execute(f"SELECT DISTINCT circle FROM {MEMBERS.name} WHERE party = ?", (party,))]
    home = conn.execute(
        f"SELECT circle FROM {HOMES.name} WHERE party = ? ORDER BY position LIMIT 1", (party,)
    ).fetchone()
    if home is None:
        raise Refused("contract.no_home", "this node does not hold that party's home", got=party)
    return View(conn, party=party, circles=circles, home=home[0])


def _told(found: Simulated, decimals: int) -> Group:
    rows = []
    for run in found.runs[:RUNS_SHOWN]:
        amount = show_money(run.amount_minor, decimals, found.currency)
        unproven = "unproven" if run.unproven else ""
        rows.append((run.clause, run.partner, run.order, run.line, run.label, amount, unproven))
    waiting = "; ".join(f"{code}: {count}" for code, count in sorted(found.waiting.items()))
    total = show_money(found.total_minor, decimals, found.currency)
    every = f"Not computed: {waiting}" if waiting else "Every clause that a delivery triggers could be computed."
    return Group(
        table("clause", "partner", "order", "line", "as", "amount", "", rows=rows),
        Text(f"\n{found.deliveries:,} deliveries looked at; {len(found.runs):,} results, {total} in all."),
        Text(every),
    )
