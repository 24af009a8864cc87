"""`hanse import` and `hanse export`: people's own tables, in and out."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, Step, progress
from hanse.importers import MappingFile, library
from hanse.importers import template as template_of
from hanse.importers.facts import Imported, imported, save_fixes
from hanse.importers.facts_choose import MAPPINGS, choose_mapping, files_of, named_mapping, sheets_of
from hanse.importers.facts_export import as_file, exported
from hanse.importers.facts_found import desk_for, fresh
from hanse.importers.facts_parquet import facts_to_parquet, tables_to_parquet
from hanse.importers.facts_plan import Options
from hanse.importers.facts_watch import Handled, watch
from hanse.importers.jobs.fulfil import Fulfilled, fulfil
from hanse.importers.safe import guarded
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.node import Node

FIXES = "fixes"
SHOWN = 12
Party = Annotated[str, Parameter(name=["--party", "--as"])]
"""`--as` as everywhere; `--party` as `hanse serve --new` has it, where an import founds the network."""


def mount(app: App) -> None:
    """Add this file's commands."""
    app.command(import_, name="import")
    app.command(export)


ImportFiles = Annotated[
    Path,
    Parameter(
        help="CSV, XLSX, JSON or NDJSON, packed with gzip or not; or a folder of them.",
    ),
]
ImportParty = Annotated[Party, Parameter(help="Who imports; not needed where this node hosts one party alone.")]
ImportName = Annotated[str, Parameter(help="The firm's name, where the import founds its network.")]
ImportMapping = Annotated[
    str,
    Parameter(
        help=(
            "What the columns mean: a mapping that comes with Hanse (hanse, brunel_logistics, adventureworks, "
            "online_retail, northwind), one that was saved, or a TOML file. Without one it is found by the "
            "columns."
        ),
    ),
]
ImportTarget = Annotated[
    str,
    Parameter(
        help="What one file is, where no mapping says it: parties, sites, items, stock, orders, receipts, ...",
    ),
]
ImportSave = Annotated[
    str,
    Parameter(
        help="Save the mapping under this name: files of the same columns then find it by themselves.",
    ),
]
ImportDryRun = Annotated[bool, Parameter(help="Say what would be done, and sign nothing.")]
ImportFulfilOrders = Annotated[
    bool,
    Parameter(
        help="Then promise, ship and receive the imported sales: sites by their capacity, carriers by their tariffs.",
        name="--fulfil",
        negative="",
    ),
]
ImportPublish = Annotated[
    bool,
    Parameter(
        help=(
            "Publish items with a GTIN, or a brand and part number, that the network does not know yet. Everybody"
            " sees them."
        ),
        negative="",
    ),
]
ImportWhole = Annotated[bool, Parameter(help="Sign nothing as long as one row is wrong.", negative="")]
ImportCurrency = Annotated[str, Parameter(help="Of amounts without one.")]
ImportFixes = Annotated[Path | None, Parameter(help="Where fix lists go; without it `fixes` in the data directory.")]
ImportTemplate = Annotated[
    str,
    Parameter(
        help="Print an empty table of this target, with one example row, and do nothing else.",
    ),
]
ImportWatchFolder = Annotated[
    Path | None,
    Parameter(
        help="Import what is put into this folder until interrupted.",
        name="--watch",
    ),
]
ImportReport = Annotated[
    Path | None,
    Parameter(
        help="With --fulfil: a CSV of every late and every unserved line, with its reason.",
    ),
]
ImportCity = Annotated[str, Parameter(help="The firm's town, where the import founds its network.")]
ImportCountry = Annotated[str, Parameter(help="The firm's country, two letters, ISO 3166-1.")]


def import_(
    *files: ImportFiles,
    party: ImportParty = "",
    name: ImportName = "",
    mapping: ImportMapping = "",
    target: ImportTarget = "",
    save: ImportSave = "",
    dry_run: ImportDryRun = False,
    fulfil_orders: ImportFulfilOrders = False,
    publish: ImportPublish = False,
    whole: ImportWhole = False,
    currency: ImportCurrency = "",
    fixes: ImportFixes = None,
    template: ImportTemplate = "",
    watch_folder: ImportWatchFolder = None,
    report: ImportReport = None,
    city: ImportCity = "",
    country: ImportCountry = "DE",
    data: Data = HERE,
) -> Answer:
    """Import tables as signed facts: all good rows or none; the wrong ones come back as a fix list.

    An empty data directory becomes a network of one. The same file imported again signs nothing. Exit code 1 where rows
    are wrong: the others were signed, unless --whole or --dry-run was said.
    """
    if template:
        text = template_of(template)
        return Answer({"target": template, "csv": text}, text.rstrip("\n"))
    if not files and watch_folder is None:
        raise Refused("import.no_file", "name a file, a folder, or a folder to watch", next="see `hanse import --help`")
    options = Options(currency=currency, publish=publish, whole=whole)
    sheets = sheets_of(files_of(files)) if files else []
    if mapping:
        used, how = named_mapping(mapping, data, party), f"the mapping {mapping}"
    elif sheets:
        used, how = choose_mapping(sheets, data, target=target, party=party)
    with progress() as step, Node(data, create=fresh(data)) as node:
        desk = desk_for(node, party, name, country=country, city=city)
        if watch_folder is not None:
            return _watch(desk, watch_folder, mapping, options)
        found = imported(desk, sheets, used, options, dry_run=dry_run, told=_told(step))
        if not dry_run and (save or how.startswith("a guess")):
            library.save(data / MAPPINGS, _renamed(used, save or used.name))
        paths = [] if dry_run else save_fixes(found, fixes or data / FIXES)
        done = fulfil(desk, _told(step)) if fulfil_orders and not dry_run else None
    if done is not None and report is not None:
        _report(done, report)
    text = _text(found, how, paths) + (_fulfilled(done) if done else "")
    document = {
        "party": desk.who.party,
        "how": how,
        "import": found,
        "bad": found.bad,
        "fixes": [str(path) for path in paths],
        "fulfilled": done,
    }
    return Answer(document, text, WRONG if found.bad else DONE)


def _told(step: Step) -> Step:
    return lambda what, done, of: step(what, done, of or done)


def _renamed(mapping: MappingFile, name: str) -> MappingFile:
    clean = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in name).strip("-_")
    return replace(mapping, name=clean[:60] or "mapping")


def _watch(desk: Desk, folder: Path, mapping: str, options: Options) -> Answer:
    handled: list[Handled] = []
    try:
        for one in watch(desk, folder, mapping, options):
            handled.append(one)
            sys.stderr.write(f"{one.said}\n")
    except KeyboardInterrupt:
        pass
    return Answer(handled, f"{len(handled)} files were handled")


def _text(found: Imported, how: str, paths: list[Path]) -> str:
    lines = [f"read by {how}"]
    for part in found.sections:
        text = f"  {part.source} as {part.target}: {part.good:,} good"
        text += f", {part.merged:,} merged" if part.merged else ""
        text += f", {part.skipped:,} left out by the mapping" if part.skipped else ""
        text += f", {part.bad:,} wrong ({', '.join(f'{c} {n:,}' for c, n in part.reasons.items())})" if part.bad else ""
        lines.append(text)
    lines.append(f"rows: {found.new:,} new, {found.changed:,} changed, {found.same:,} as imported before")
    facts = ", ".join(f"{kind} {count:,}" for kind, count in found.facts.items()) or "none"
    lines.append(f"facts {'signed' if found.signed else 'to sign'}: {found.facts_n:,} ({facts})")
    if found.matched is not None:
        share = found.matched.lines_matched_ppm / 10_000
        lines.append(f"matched: {found.matched.lines_matched:,} of {found.matched.lines:,} items ({share:.1f} %)")
        for money in found.matched.money:
            if money.value_minor:
                lines.append(
                    f"  {money.matched_ppm / 10_000:.1f} % of {money.value_minor / 100:,.2f} {money.currency} in stock"
                )
    lines += [f"note: {note}" for note in found.notes[:SHOWN]]
    lines += [f"note: and {len(found.notes) - SHOWN} more"] if len(found.notes) > SHOWN else []
    lines += [f"fix list: {path}" for path in paths]
    lines.append(f"{found.plan_seconds:.1f} s reading and planning, {found.sign_seconds:.1f} s signing")
    return "\n".join(lines)


def _fulfilled(done: Fulfilled) -> str:
    lines = ["", f"served: {done.served:,} of {done.orders:,} orders in {len(done.days)} days"]
    for day in done.days:
        cost = (day.handling_minor + day.freight_minor) / 100
        lines.append(f"  {day.date}: {day.orders:,} orders, {cost:,.2f} {done.currency}")
    total = sum(day.handling_minor + day.freight_minor for day in done.days) / 100
    gap = (done.weighed_minor - done.bound_minor) / 100
    lines.append(
        f"cost: {total:,.2f} {done.currency}; lateness weighed in, at most {gap:,.2f} above the least possible"
    )
    lines.append(f"freight arranged by the customer: {done.own_freight:,} orders")
    lines.append(f"produced to order, since the data has no stock: {done.produced_each:,} each")
    lines.append(f"late: {len(done.late):,} lines")
    lines += [f"  {count:,}: {reason}" for reason, count in list(done.late_reasons.items())[:SHOWN]]
    lines.append(f"unserved: {len(done.unserved):,} lines")
    lines += [f"  {count:,}: {reason}" for reason, count in list(done.unserved_reasons.items())[:SHOWN]]
    lines.append(f"facts signed: {sum(done.facts.values()):,} in {done.sign_seconds:.1f} s")
    return "\n".join(lines)


def _report(done: Fulfilled, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["order", "customer", "item", "what", "days", "reason"])
        rows = [(late.order, late.customer, late.item, "late", str(late.days), late.reason) for late in done.late]
        rows += [(one.order, one.customer, one.item, "unserved", "", one.reason) for one in done.unserved]
        writer.writerows([guarded(cell) for cell in row] for row in rows)


def export(
    what: Literal["orders", "transfers", "receipts", "stock", "offers", "items", "sites", "facts", "tables"],
    *,
    party: Party = "",
    form: Annotated[Literal["csv", "xlsx", "json"], Parameter(name="--format")] = "csv",
    mapping: str = "",
    out: Path | None = None,
    parquet: Path | None = None,
    data: Data = HERE,
) -> Answer:
    """Export what a firm has here for its own system; or the record and the state for analytics.

    Parameters
    ----------
    what
        A table, or `facts` (the record) or `tables` (the state), which need --parquet.
    party
        Whose; not needed where this node hosts one party alone.
    form
        csv, xlsx or json.
    mapping
        Write the columns of this mapping, run backwards; what it cannot carry is left out, and said.
    out
        The file; without it the table is printed.
    parquet
        The folder for Parquet files of `facts` or `tables`: everything that the party may see, and no more.
    """
    with progress() as step, Node(data, helper=False) as node:
        desk = desk_for(node, party)
        if what in ("facts", "tables"):
            if parquet is None:
                raise Refused("export.no_folder", "facts and tables are written as Parquet", next="name --parquet DIR")
            write = facts_to_parquet if what == "facts" else tables_to_parquet
            paths = [str(path) for path in write(desk, parquet, _told(step))]
            return Answer({"files": paths}, f"{len(paths)} files are in {parquet}")
        found = exported(desk, what, named_mapping(mapping, data, desk.who.party) if mapping else None)
    content = as_file(found, what, form)
    document = {"what": what, "rows": len(found.rows), "left_out": found.left_out, "file": str(out or "")}
    if out is not None:
        out.write_bytes(content)
        said = [f"{len(found.rows):,} rows are in {out}"]
        return Answer(document, "\n".join(said + [f"left out: {k}: {why}" for k, why in found.left_out.items()]))
    if form == "xlsx":
        raise Refused("export.no_file", "a workbook cannot be printed", next="name a file with --out")
    return Answer(
        {**document, "table": [dict(zip(found.columns, row, strict=True)) for row in found.rows]},
        content.decode("utf-8-sig").rstrip("\r\n"),
    )
