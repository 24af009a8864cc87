"""Wrong rows as a file that people correct and import again.

The columns are those of the source, with the row number in front and the reasons behind; both are taken off again when
the file is read. A cell that a spreadsheet would run as a formula has an apostrophe before it, which reading removes.
"""

import csv
import io
from dataclasses import replace

from hanse.importers.applying import Result
from hanse.importers.safe import guarded, unguarded
from hanse.importers.tables import Rows, Sheet

ROW, REASON = "hanse_row", "hanse_reason"


def write(result: Result) -> str:
    """Write the wrong rows of a result as CSV text, in the order of the source; a header alone when there are none."""
    reasons: dict[int, list[str]] = {}
    for bad in result.bad:
        reasons.setdefault(bad.row, []).append(bad.sentence())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([ROW, *map(guarded, result.columns), REASON])
    width = len(result.columns)
    for row in sorted(result.bad_cells):
        cells = result.bad_cells[row]
        shaped = [*cells, *[""] * (width - len(cells))][:width]
        writer.writerow([str(row), *map(guarded, shaped), guarded(" | ".join(reasons.get(row, [])))])
    return out.getvalue()


def read_back(sheet: Sheet) -> Sheet:
    """Take the row numbers and reasons off a corrected fix list; any other sheet comes back as it is.

    Rows keep the numbers that they had in the first file.
    """
    if ROW not in sheet.columns or REASON not in sheet.columns:
        return sheet
    at, why = sheet.columns.index(ROW), sheet.columns.index(REASON)
    kept = [i for i in range(len(sheet.columns)) if i not in (at, why)]

    def rows() -> Rows:
        for number, cells in sheet.open_rows():
            if len(cells) != len(sheet.columns):
                yield number, cells
                continue
            first = cells[at].strip()
            own = int(first) if first.isascii() and first.isdigit() and len(first) < 12 else number
            yield own, [unguarded(cells[i]) for i in kept]

    return replace(sheet, columns=tuple(unguarded(sheet.columns[i]) for i in kept), open_rows=rows)
