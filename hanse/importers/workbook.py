"""Read XLSX workbooks as sheets of texts; what would unpack to too much is refused before it is read."""

import io
import zipfile
import zlib
from xml.parsers import expat

import fastexcel

from hanse.importers.dialect import Dialect, decimal_of
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Limits, Rows, Sheet, header_of, safe_name

CELLS_MAX = 20_000_000
"""Cells of all sheets, empty ones included: the reader keeps a place for each, and some 100 bytes."""
_OTHER_FORMATS = {"mimetype", "content.xml", "xl/workbook.bin"}
"""Parts of OpenDocument and XLSB, which the reader would take and nobody has looked through."""
EMPTY_CELLS, EMPTY_TIMES = 1_000_000, 20
"""A sheet may reach over so many cells, and so many times those that it has."""


def read_workbook(content: bytes, name: str, limits: Limits) -> list[Sheet]:
    """Read every sheet that has rows; dates come as ISO texts, cells without a value as "".

    Raises ImportRefused, in order: table.broken, table.bomb, table.unknown_format, table.too_many_cells,
        table.too_many_columns.
    """
    largest = _refuse_hostile(content, limits)
    try:
        book = fastexcel.read_excel(content)
        names = list(book.sheet_names)
        if largest * len(names) > min(limits.cells_max, CELLS_MAX):  # several names may stand for one sheet
            raise ImportRefused("table.too_many_cells", "the workbook has too many cells", "", "", "split the workbook")
        loaded = [
            book.load_sheet(one, header_row=None, skip_rows=0, dtypes="string").to_polars().rows() for one in names
        ]
    except ImportRefused:
        raise
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


class _Reach:
    """How far a sheet's cells reach, counted as the reader counts that allocates for them: `r` says where a row or a
    cell is, and where there is none it is the next. Any part may be a sheet, for a workbook names its parts itself.

    Attributes:
        rows, columns: the furthest. cells: how many there are. is_sheet: it has cells. broken: it is no XML.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.cells = self._row = self._column = 0
        self.is_sheet = self.broken = False
        self._end = b""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, block: bytes) -> None:
        """The next bytes of the part."""
        self.is_sheet = self.is_sheet or b"sheetData" in self._end + block
        self._end = block[-8:]
        if not self.broken:
            try:
                self._parser.Parse(block, False)
            except (expat.ExpatError, ValueError):
                self.broken = True

    def _doctype(self, *declared: object) -> None:
        raise ValueError("a workbook declares no document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind, at = name.rpartition(":")[2], attributes.get("r", "")
        if kind == "row":
            self._row, self._column = _number(at) or self._row + 1, 0
        elif kind == "c":
            letters = at.rstrip("0123456789")
            self.cells += 1
            self._column = _column(letters) if letters else self._column + 1
            self.columns = max(self.columns, self._column)
            self.rows = max(self.rows, self._row, _number(at[len(letters) :]))


def _refuse_hostile(content: bytes, limits: Limits) -> int:
    """Unpack every part once, counting, and look how far its cells reach, before a reader allocates for them.

    Returns the size of the largest sheet: rows times columns up to its furthest cells.
    """
    left, largest = limits.unpacked_bytes_max, 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > 10_000:
                raise ImportRefused(
                    "table.bomb", "the workbook has too many parts", str(len(members)), "", "save it again"
                )
            for member in members:
                reach = _Reach()
                with archive.open(member) as handle:
                    while block := handle.read(1 << 20):
                        left -= len(block)
                        if left < 0:
                            raise ImportRefused("table.bomb", "the workbook unpacks to too much", "", "", "split it")
                        reach.feed(block)
                if member.filename.replace("\\", "/").casefold() in _OTHER_FORMATS:
                    raise ImportRefused(
                        "table.unknown_format", "a workbook, but not of XLSX", member.filename, ".xlsx", "save it so"
                    )
                if reach.is_sheet:
                    largest = max(largest, _size(reach, limits))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as wrong:
        raise ImportRefused(
            "table.broken", "the workbook is damaged", str(wrong)[:200], ".xlsx", "save it again"
        ) from wrong
    return largest


def _size(sheet: _Reach, limits: Limits) -> int:
    """Refuses: table.broken, table.too_many_cells (also where nearly all of them are empty)."""
    if sheet.broken:
        raise ImportRefused("table.broken", "a sheet of the workbook is damaged", "", ".xlsx", "save it again")
    size = sheet.rows * sheet.columns
    if size > min(limits.cells_max, CELLS_MAX, EMPTY_CELLS + EMPTY_TIMES * sheet.cells):
        got, step = f"{sheet.rows} x {sheet.columns}", "delete the stray cells at the far end"
        raise ImportRefused("table.too_many_cells", "a sheet reaches too far", got, "", step)
    return size


def _number(digits: str) -> int:
    """What stands for a place, or 0; too long a number is one that is too far."""
    return 10**10 if len(digits) > 10 else int(digits) if digits.isascii() and digits.isdigit() else 0


def _column(letters: str) -> int:
    """The number of a column; letters that no sheet has are too far."""
    number = 0
    for letter in letters[:10].upper():
        number = number * 26 + ord(letter) - 64 if "A" <= letter <= "Z" else 10**10
    return number
