"""`hanse replay scms`: a published delivery history under late-delivery agreements, in money and with entries."""

from __future__ import annotations

import importlib
import tempfile
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
    from hanse.importers.jobs import scms as job

LATE_SHOWN = 12
FILE = Path("../shared/data/scms/scms_delivery_history.csv.gz")


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="replay", help="Replay published histories under agreements.")
    group.command(scms)
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
    heads = ("vendor", "order", "line", "scheduled", "delivered", "days", "value USD", "owed USD", "entries", "record")
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
        rows.append((one.vendor, one.order, one.line, *days, *money, entries, one.sha256[:12]))
    return rows
