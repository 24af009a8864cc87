"""What `hanse verify` asks of orders: the files that messages and deliveries name."""

from __future__ import annotations

from hanse.kernel.view import View
from hanse.rooms.checked import NamesFiles
from hanse.rooms.orders.private_rows import FILES


def files_named(view: View) -> list[str]:
    """Hex SHA-256 of each file that a message, a receipt or a hand-over of the view's circles names, once."""
    sql = f"SELECT DISTINCT file_hash FROM {{{FILES.name}}}"
    return [name for (name,) in view.sql(sql, tables=(FILES,))]


FILES_NAMED: tuple[NamesFiles, ...] = (files_named,)
