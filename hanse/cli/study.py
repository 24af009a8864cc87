"""`hanse study`: what members would gain by backing each other up, from their own sales, as a report for a board."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from cyclopts import App, Parameter

from hanse.cli._study_data import GOODS, ITEMS_MAX, Made, history_of, members_of
from hanse.cli._study_exports import write_exports
from hanse.cli.shell import Answer, NotNegative, Positive, progress
from hanse.kernel.refusal import Refused
from hanse.node.node import Node, write_small
from hanse.planning.study import Assumptions, StudyResult, report
from hanse.planning.study import study as run_study

YEAR = {"day": 365, "week": 52, "month": 12}
HELD_OUT = {"day": 28, "week": 13, "month": 6}
STUDIES = "studies"
"""Folder of a node's directory: `studies/PARTY/NAME.json`, which that party's people see on their pages."""


def mount(app: App) -> None:
    """Add this file's command."""
    app.command(study)


StudyFolder = Annotated[Path, Parameter(help="The members' exports; or one firm's tables, or one file, with --split.")]
StudyOut = Annotated[
    Path | None,
    Parameter(
        help="Where to write; by default study.html in the folder, and study.json beside it.",
    ),
]
StudyMapping = Annotated[
    str,
    Parameter(
        help=(
            "What the columns mean, for members without a mapping.toml of their own; by default a guess that must"
            " be sure."
        ),
    ),
]
StudyBy = Annotated[Literal["week", "month", "day"], Parameter(help="The period of review.")]
StudySplit = Annotated[NotNegative, Parameter(help="Simulate so many members of one firm's sales; the report says so.")]
StudySplitBy = Annotated[
    Literal["customer", "country"],
    Parameter(
        help="customer: its customers dealt evenly; country: the countries that buy most.",
    ),
]
StudyItems = Annotated[
    Positive,
    Parameter(
        help="Study so many items: of those that two members or more sell, the ones that sell for most.",
    ),
]
StudyGoods = Annotated[
    str,
    Parameter(
        help=(
            "Study own numbers of this form alone, a regular expression: leaves out postage, fees and the like. "
            "With the mapping online_retail: five digits first."
        ),
    ),
]
StudyHeldOut = Annotated[
    NotNegative,
    Parameter(
        help="Periods at the end that no plan sees; by default a quarter in weeks, half a year in months.",
    ),
]
StudyLeadTime = Annotated[Positive, Parameter(help="Periods from order to receipt.")]
StudyHoldingPercent = Annotated[Positive, Parameter(help="Cost of carrying stock, per cent of its value a year.")]
StudyShortagePercent = Annotated[Positive, Parameter(help="Cost of a unit not served at once, per cent of its value.")]
StudyTransferMinor = Annotated[NotNegative, Parameter(help="Cost of a transfer of one item, minor units.")]
StudyBootstrap = Annotated[Positive, Parameter(help="Resamples for the intervals.")]
StudyWriteFrom = Annotated[
    Path | None,
    Parameter(
        help=(
            "First write the exports of every firm of this node's data directory into the folder, each in another"
            " shape."
        ),
        name="--write-from",
    ),
]
StudyKeep = Annotated[
    Path | None,
    Parameter(
        help="A node's data directory: keep the figures there too, for the pages of the firm named by --as.",
    ),
]
StudyParty = Annotated[str, Parameter(help="With --keep: whose pages.", name="--as")]


def study(
    folder: StudyFolder,
    *,
    out: StudyOut = None,
    mapping: StudyMapping = "",
    by: StudyBy = "week",
    split: StudySplit = 0,
    split_by: StudySplitBy = "customer",
    items: StudyItems = ITEMS_MAX,
    goods: StudyGoods = "",
    held_out: StudyHeldOut = 0,
    lead_time: StudyLeadTime = 2,
    holding_percent: StudyHoldingPercent = 25,
    shortage_percent: StudyShortagePercent = 30,
    transfer_minor: StudyTransferMinor = 500,
    bootstrap: StudyBootstrap = 1_000,
    seed: int = 0,
    write_from: StudyWriteFrom = None,
    keep: StudyKeep = None,
    party: StudyParty = "",
) -> Answer:
    """Study what members would gain by pooling stock, on sales that the plans did not see.

    Each sub-folder is a member's own export: sales, and if they have them items with costs, stock and sites, as CSV or
    workbooks. Writes a report in HTML, which prints well, and its figures in JSON.
    """
    if keep is not None and not party:
        raise Refused("study.keep_for_whom", "say whose pages shall show it", next="add --as PARTY")
    with progress() as step:
        if write_from is not None:
            with Node(write_from, helper=False) as node:
                write_exports(node, folder, step)
        made = history_of(
            members_of(folder, mapping, step), by=by, split=split, split_by=split_by, items=items, seed=seed,
            goods=goods or GOODS.get(mapping, ""),
        )  # fmt: skip
        given = Assumptions(
            holding_ppm_year=holding_percent * 10_000, shortage_ppm=shortage_percent * 10_000,
            transfer_minor=transfer_minor, lead_time_periods=lead_time, periods_a_year=YEAR[by],
            held_out=held_out or HELD_OUT[by], replan=4 if by == "week" else 3 if by == "month" else 7,
            bootstrap=bootstrap, seed=seed, currency=made.currency,
        )  # fmt: skip
        try:
            found = run_study(made.history, given, progress=lambda part, what: step(what, round(1000 * part), 1000))
        except ValueError as error:
            raise Refused("study.too_little", str(error), got=made.history.sales.shape,
                          next="use --by week, a smaller --held-out, or more history") from None  # fmt: skip
    target = out or (folder if folder.is_dir() else Path()) / "study.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(report(found), encoding="utf-8")
    figures = figures_of(found, made)
    _warn_of_one_item(figures)
    target.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    if keep is not None:
        into = keep / STUDIES / party
        into.mkdir(parents=True, exist_ok=True)
        write_small(into / f"{target.stem}.json", msgspec.json.encode(figures))
    return Answer({**figures, "report": str(target)}, _told(figures, target))


def figures_of(found: StudyResult, made: Made) -> dict[str, Any]:
    """The study's figures as JSON: money in minor units over the held-out periods, shares as numbers, unknown null."""
    a, p, history = found.alone, found.pooled, found.history
    return {
        "origin": history.origin,
        "simulated": history.origin.startswith("simulated"),
        "notes": made.notes,
        "currency": found.assumptions.currency,
        "assumptions": {name: getattr(found.assumptions, name) for name in found.assumptions.__dataclass_fields__},
        "items": len(history.items),
        "periods": int(history.sales.shape[2]),
        "total": {
            name: {"value": _plain(one.value), "low": _plain(one.low), "high": _plain(one.high)}
            for name, one in found.total.items()
        },
        "policies": {
            name: {
                "fill_rate": _plain(side.fill_rate_total), "fill_rate_shock": _plain(side.fill_rate_shock),
                "stock_minor": round(float(side.stock_minor.sum())), "cost_minor": round(float(side.cost_minor.sum())),
                "transfers": round(float(side.transfers.sum())),
            }
            for name, side in (("alone", a), ("lending", found.lending), ("pooled", p))
        },
        "members": [
            {
                "name": name, "fill_rate_alone": _plain(a.fill_rate[m]), "fill_rate_pooled": _plain(p.fill_rate[m]),
                "cost_alone_minor": round(float(a.cost_minor[m])), "charge_minor": int(found.charge_minor[m]),
                "gain_minor": round(float(found.gain_minor[m])),
                "saved_low_minor": round(float(found.saved_low[m])),
                "saved_high_minor": round(float(found.saved_high[m])),
                "lent_each": round(float(p.lent[m])), "borrowed_each": round(float(p.borrowed[m])),
            }
            for m, name in enumerate(history.members)
        ],
        "item_gains": [
            {"item": history.items[i], "saved_minor": round(float(found.item_saved_minor[i])),
             "pool": bool(found.pool_item[i]), "reason": found.reason[i]}
            for i in np.argsort(-found.item_saved_minor, kind="stable")[:200]
        ],
        "given_up": _plain(found.given_up),
        "coverage_off": _plain(found.coverage_off),
        "stock_now_minor": _plain(found.stock_now_minor),
        "stock_idle_minor": _plain(found.stock_idle_minor),
        "stock_wanted_minor": _plain(found.stock_wanted_minor),
    }  # fmt: skip


def _warn_of_one_item(figures: dict[str, Any]) -> None:
    """Say where one item makes most of the gain: it may be no goods at all."""
    gains = [one for one in figures["item_gains"] if one["saved_minor"] > 0]
    total = sum(one["saved_minor"] for one in gains)
    if gains and gains[0]["saved_minor"] * 4 > total:
        share = gains[0]["saved_minor"] / total
        figures["notes"].append(
            f"{gains[0]['item']} alone makes {share:.0%} of what is saved: see that it is goods; leave out what is not "
            "with --goods"
        )


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _told(figures: dict[str, Any], target: Path) -> str:
    alone, pooled, total = figures["policies"]["alone"], figures["policies"]["pooled"], figures["total"]
    unit = figures["currency"]

    def both(name: str) -> str:
        return f"alone {alone[name] / 100:,.0f} {unit}   pooled {pooled[name] / 100:,.0f} {unit}"

    saved = total.get("cost_saved_share")
    gain = sum(1 for one in figures["members"] if one["gain_minor"] > 0)
    lines = [
        f"{figures['origin']}",
        f"{len(figures['members'])} members, {figures['items']:,} items, {figures['periods']} periods",
        *figures["notes"],
        f"served at once   alone {alone['fill_rate']:.1%}   pooled {pooled['fill_rate']:.1%}",
        f"mean stock       {both('stock_minor')}",
        f"cost             {both('cost_minor')}",
    ]
    if saved and saved["value"] is not None:
        lines.append(f"saved            {saved['value']:.1%} (90% interval {saved['low']:.1%} to {saved['high']:.1%})")
    lines.append(f"{gain} of {len(figures['members'])} members gain; the report is {target}")
    return "\n".join(lines)
