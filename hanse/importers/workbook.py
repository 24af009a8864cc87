"""Read XLSX workbooks as sheets of texts; what would unpack to too much is refused before it is read."""

import io
import re
import zipfile
import zlib

import fastexcel

from hanse.importers.dialect import Dialect, decimal_of
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Limits, Rows, Sheet, header_of, safe_name

_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]{0,400}?r="([A-Z]{1,3})(\d{1,7})"')


def read_workbook(content: bytes, name: str, limits: Limits) -> list[Sheet]:
    """Read every sheet that has rows; dates come as ISO texts, cells without a value as "".

    Raises ImportRefused, in order: table.broken, table.bomb, table.too_many_cells, table.too_many_columns.
    """
    _refuse_hostile(content, limits)
    try:
        book = fastexcel.read_excel(content)
        names = list(book.sheet_names)
        loaded = [
            book.load_sheet(one, header_row=None, skip_rows=0, dtypes="string").to_polars().rows() for one in names
        ]
    except Exception as wrong:
        raise ImportRefused(
            "table.broken", "the workbook cannot be read", str(wrong)[:200], ".xlsx", "save it again"
        ) from wrong
    sheets = []
    for title, rows in zip(names, loaded, strict=True):
        texts = [[_text(cell) for cell in row] for row in rows]
        start = next((i for i, row in enumerate(texts) if any(cell.strip() for cell in row)), None)
        if start is None:
            continue
        label = safe_name(title) if len(names) > 1 else safe_name(name or title)
        sheets.append(_sheet(label, texts, start, limits))
    if not sheets:
        raise ImportRefused("table.empty", "the workbook has no rows", "", "a header and rows", "export again")
    return sheets


def _sheet(label: str, texts: list[list[str]], start: int, limits: Limits) -> Sheet:
    head = texts[start]
    first = next(i for i, cell in enumerate(head) if cell.strip())
    columns = header_of(head[first:], limits)
    width = len(columns)
    body = [(number, row[first:]) for number, row in enumerate(texts[start + 1 :], start + 2)]

    def rows() -> Rows:
        for number, cells in body:
            yield number, cells + [""] * (width - len(cells))

    sample = [cell for _, row in body[:200] for cell in row]
    return Sheet(label, columns, rows, Dialect("xlsx", "", decimal_of(sample)), limits)


def _text(cell: str | None) -> str:
    return cell.removesuffix(" 00:00:00") if cell else ""


def _refuse_hostile(content: bytes, limits: Limits) -> None:
    """Unpack every member once, counting, and look how far its cells reach, before a reader allocates for them."""
    left = limits.unpacked_bytes_max
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > 10_000:
                raise ImportRefused(
                    "table.bomb", "the workbook has too many parts", str(len(members)), "", "save it again"
                )
            for member in members:
                sheet = member.filename.lower().startswith("xl/worksheets/")
                rows = columns = 0
                tail = b""
                with archive.open(member) as handle:
                    while block := handle.read(1 << 20):
                        left -= len(block)
                        if left < 0:
                            raise ImportRefused("table.bomb", "the workbook unpacks to too much", "", "", "split it")
                        if sheet:
                            for letters, digits in _CELL.findall(tail + block):
                                rows, columns = max(rows, int(digits)), max(columns, _column(letters))
                            tail = block[-500:]
                if rows * columns > limits.cells_max:
                    got, step = f"{rows} x {columns}", "delete the stray cells at the far end"
                    raise ImportRefused("table.too_many_cells", "a sheet reaches too far", got, "", step)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as wrong:
        raise ImportRefused(
            "table.broken", "the workbook is damaged", str(wrong)[:200], ".xlsx", "save it again"
        ) from wrong


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
