"""A firm's figures of its last days, cheap enough for its first page however many deliveries there were."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import KEPT_DAYS, MINE
from hanse.rooms.orders.queries import Side
from hanse.rooms.orders.worklists import kept_shares, line_counts

DAY_SECONDS = 86_400


class Recent(Struct, frozen=True):
    """One side of the reader's book over the last days; members as those of `worklists.Figures`.

    traded: whether it has an order of that side at all.
    """

    kept_ppm: int
    dated_n: int
    kept_n: int
    unproven_dated_n: int
    unproven_kept_n: int
    lines: dict[str, int]
    traded: bool


def recent(view: View, side: Side, days: int) -> Recent:
    """The figures of what arrived in the last so many UTC days, today among them: sums of one row a day and partner.

    Args:
        days: > 0.
    """
    own = "seller" if side == "sell" else "buyer"
    found = view.sql(
        f"SELECT k.unproven, SUM(k.dated_n), SUM(k.kept_n) FROM {{orders_kept_day}} k WHERE k.{own} = ? AND k.day > ?"
        " GROUP BY k.unproven",
        [view.party, view.now // DAY_SECONDS - days],
        tables=(KEPT_DAYS,),
    )
    return Recent(
        **kept_shares(found),
        lines=line_counts(view, side),
        traded=bool(view.home and view.rows(MINE, "circle = ? AND side = ?", (view.home, side), limit=1)),
    )
