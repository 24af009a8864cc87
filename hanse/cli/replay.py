"""`hanse replay`: published histories under agreements, in money, each amount with its reason and entries."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import yaml
from cyclopts import App, Parameter
from rich.console import Group
from rich.text import Text

from hanse.cli.shell import Answer, progress, table
from hanse.kernel.refusal import Refused
from hanse.rooms.contracts.terms import TermsRefused
from hanse.rooms.contracts.terms.yamlsafe import load

if TYPE_CHECKING:
    from hanse.importers.jobs import adventureworks as works
    from hanse.importers.jobs import scms as job

LATE_SHOWN = 12
TELLING = ("periods", "uncapped", "ceiling")
FILE = Path("../shared/data/scms/scms_delivery_history.csv.gz")
TABLES = Path("../shared/data/adventureworks")


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="replay", help="Replay published histories under agreements.")
    group.command(scms)
    group.command(adventureworks)
    app.command(group)


def scms(
    directory: Path | None = None,
    /,
    *,
    file: Path = FILE,
    template: Path | None = None,
    param: Annotated[tuple[str, ...], Parameter(name=["--set"], negative="")] = (),
    vendor: str = "",
    top: int = 20,
) -> Answer:
    """Replay the SCMS deliveries against their scheduled dates, under an assumed late-delivery agreement per vendor.

    Makes a node in DIRECTORY: one fact a line, one agreement a vendor, all stated by the buyer alone and so unproven.
    A copy of the directory without keys recomputes the same with `hanse verify --recompute`.

    Parameters
    ----------
    directory
        Where the node goes; a temporary directory that is removed again without it.
    file
        The data: the CSV file, also compressed.
    template
        Another late-delivery template (YAML) than the library's.
    param
        A term as NAME=VALUE, over the assumed ones: --set rate=1% --set partial=ceil
    vendor
        Show the amounts of vendors whose name holds this.
    top
        How many vendors to show; all are in --json.
    """
    run = importlib.import_module("hanse.importers.jobs.scms").replay  # numerics load with it; other commands need none
    params = dict(_pair(text) for text in param)
    text = template.read_text() if template is not None else ""
    found: job.Replayed
    with progress() as step:
        if directory is not None:
            found = run(directory, file, template=text, params=params, progress=step)
        else:
            with tempfile.TemporaryDirectory(prefix="hanse-scms-") as scratch:
                found = run(Path(scratch) / "node", file, template=text, params=params, progress=step)
    document = {**msgspec.to_builtins(found), "owed_minor": found.owed_minor}
    return Answer(document, _told(found, vendor, top, directory))


def adventureworks(
    directory: Path | None = None,
    /,
    *,
    tables: Path = TABLES,
    param: Annotated[tuple[str, ...], Parameter(name=["--set"], negative="")] = (),
    vendor: str = "",
    top: int = 20,
) -> Answer:
    """Replay AdventureWorks' purchase orders under agreements of its vendors' terms: minimums, lead times, rejects.

    Makes a node in DIRECTORY: one fact a line, one agreement a vendor, all stated by the buyer alone and so unproven.
    That the terms bind, what lateness costs, and arrival on the ship date are assumed.

    Parameters
    ----------
    directory
        Where the node goes; a temporary directory that is removed again without it.
    tables
        Where the data's tables are.
    param
        A term as NAME=VALUE, over the assumed ones: --set handling=10%
    vendor
        Show the amounts of vendors whose name holds this.
    top
        How many vendors to show; all are in --json.
    """
    run = importlib.import_module("hanse.importers.jobs.adventureworks").replay
    params = dict(_pair(text) for text in param)
    found: works.Replayed
    with progress() as step, tempfile.TemporaryDirectory(prefix="hanse-aw-") as scratch:
        found = run(directory or Path(scratch) / "node", tables, params=params, progress=step)
    document = {**msgspec.to_builtins(found), "owed_minor": found.owed_minor}
    return Answer(document, _works_told(found, vendor, top, directory))


def _works_told(found: works.Replayed, vendor: str, top: int, directory: Path | None) -> Group:
    terms = ", ".join(f"{name} {value}" for name, value in found.terms.items())
    heads = ("vendor", "lines", "value USD", "refused", "late", "damages USD", "with rejects", "credit USD", "short")
    rows = [
        (one.vendor, one.lines, dollars(one.value_minor), one.refused_lines, one.late_lines, dollars(one.damages_minor),
         one.rejected_lines, dollars(one.credit_minor), one.short_lines)
        for one in found.vendors[:top]
    ]  # fmt: skip
    chosen = [one for one in found.owed if vendor and vendor.lower() in one.vendor.lower()]
    if not vendor:
        chosen = sorted(found.owed, key=lambda one: -one.owed_minor)[:LATE_SHOWN]
    shown = [
        (one.vendor, one.order, one.line, one.clause, one.ordered_on, one.shipped_on, one.rejected,
         dollars(one.owed_minor), reason(one.why), ", ".join(str(entry) for entry in one.entries))
        for one in chosen
    ]  # fmt: skip
    lines = sum(one.lines for one in found.vendors)
    refused = sum(one.refused_lines for one in found.vendors)
    where = directory if directory is not None else "DIRECTORY (name one to keep the node)"
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in found.seconds.items())
    return Group(
        Text("Purchase orders, replayed under their vendors' terms. That they bind is ASSUMED, as are", "bold"),
        Text(f"{terms}, and arrival on the ship date.\nEvery line is stated by the buyer alone: unproven.\n"),
        table(*heads, rows=rows),
        Text(
            f"\n{len(found.vendors)} vendors, {lines:,} lines: {refused:,} outside minimum or maximum; "
            f"{dollars(sum(one.damages_minor for one in found.vendors))} USD for lateness, "
            f"{dollars(sum(one.credit_minor for one in found.vendors))} USD for rejects.\n"
        ),
        table("vendor", "order", "line", "clause", "ordered", "shipped", "rejected", "owed USD", "why", "entry",
              rows=shown),
        Text(f"\nProve it: hanse verify {where} --recompute\nTime: {spent}"),
    )  # fmt: skip


def _pair(text: str) -> tuple[str, object]:
    """Refuses: replay.bad_term."""
    name, sign, value = text.partition("=")
    try:
        if not sign or not name:
            raise ValueError
        return name, load(value) if value else ""
    except (ValueError, TermsRefused, yaml.YAMLError):
        raise Refused("replay.bad_term", "a term is NAME=VALUE", got=text, expected="rate=1%") from None


def dollars(minor: int) -> str:
    """Cents as people write them.

    >>> dollars(123456)
    '1,234.56'
    """
    return f"{minor // 100:,}.{minor % 100:02d}"


def _told(found: job.Replayed, vendor: str, top: int, directory: Path | None) -> Group:
    terms = ", ".join(f"{name} {value}" for name, value in found.terms.items())
    late = sum(one.late_lines for one in found.vendors)
    lines = sum(one.lines for one in found.vendors)
    own = found.own_centre
    rows = []
    for one in found.vendors[:top]:
        value, owed = dollars(one.late_value_minor), dollars(one.owed_minor)
        rows.append((one.vendor, one.lines, one.late_lines, value, one.owing_lines, owed, one.terminable))
    where = directory if directory is not None else "DIRECTORY (name one to keep the node)"
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in found.seconds.items())
    heads = ("vendor", "order", "line", "scheduled", "delivered", "days", "value USD", "owed USD", "why", "entry")
    return Group(
        Text("Late delivery, replayed. Terms and their dates are ASSUMED: no signed agreement is in the data.", "bold"),
        Text(f"Terms: {terms}\nEvery line is stated by the buyer alone: all figures are unproven.\n"),
        table("vendor", "lines", "late", "late value USD", "owing", "owed USD", "might end", rows=rows),
        Text(
            f"\n{len(found.vendors)} vendors: {late:,} of {lines:,} lines late; {dollars(found.owed_minor)} USD owed."
        ),
        Text(
            f"Apart, and owed by nobody: {own.lines:,} lines from the buyer's own distribution centre, "
            f"{own.late_lines:,} of them late ({dollars(own.late_value_minor)} USD of goods).\n"
        ),
        table(*heads, rows=_amounts(found, vendor)),
        Text(f"\nProve it: hanse verify {where} --recompute\nTime: {spent}"),
    )


def _amounts(found: job.Replayed, vendor: str) -> list[tuple[object, ...]]:
    """The amounts to show: all of the vendors named, or the largest."""
    chosen = [one for one in found.late if vendor and vendor.lower() in one.vendor.lower()]
    if not vendor:
        chosen = sorted(found.late, key=lambda one: -one.owed_minor)[:LATE_SHOWN]
    rows: list[tuple[object, ...]] = []
    for one in chosen:
        days = (one.scheduled, one.delivered, one.late_days)
        money = (dollars(one.value_minor), dollars(one.owed_minor))
        entries = ", ".join(str(entry) for entry in one.entries)
        rows.append((one.vendor, one.order, one.line, *days, *money, reason(one.why), entries))
    return rows


def reason(why: Sequence[tuple[str, str]]) -> str:
    """The telling steps of a clause; of a template without such steps, all.

    >>> reason((("late_by", "9d"), ("periods", "1"), ("uncapped", "5.00 USD"), ("ceiling", "50.00 USD")))
    'periods 1, uncapped 5.00, ceiling 50.00'
    """
    chosen = [(name, value) for name, value in why if name in TELLING] or why
    return ", ".join(f"{name} {value.removesuffix(' USD')}" for name, value in chosen)
