"""Reading tables: every usual way of writing one, and everything hostile that a file can be."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.importers import ImportRefused, Limits, read
from hanse.importers.safe import guarded, unguarded
from hanse.importers.tables import safe_name

ROWS = [["Größe", "Menge"], ["M8", "1,5"], ['a "b"; c', "2,25"]]


def as_csv(rows: list[list[str]], delimiter: str, encoding: str) -> bytes:
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "\r\n".join(lines).encode(encoding)


def workbook(rows: list[list[object]], names: tuple[str, ...] = ("one",)) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name in names:
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("packed", [False, True])
def test_csv_is_read_in_every_usual_encoding_and_separator(encoding: str, delimiter: str, packed: bool) -> None:
    content = as_csv(ROWS, delimiter, encoding)
    (sheet,) = read(gzip.compress(content) if packed else content, "liste.csv")
    assert (sheet.columns, sheet.head()) == (("Größe", "Menge"), ROWS[1:])
    assert (sheet.dialect.delimiter, sheet.dialect.decimal) == (delimiter, ",")


@settings(deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=3, max_size=3), max_size=5))
def test_quoted_cells_come_back_as_written(rows: list[list[str]]) -> None:
    (sheet,) = read(as_csv([["a", "b", "c"], *rows], ",", "utf-8"))
    kept = [row for row in rows if "".join(row).strip() and "\uffff" not in "".join(row)]
    assert sheet.head() == kept


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    (sheet,) = read(b'\na,b\n1,"two\nlines"\n\n3,4\n')
    (chunk,) = sheet.chunks()
    assert (chunk.numbers, chunk.cells) == ([3, 5], [["1", "two\nlines"], ["3", "4"]])


def test_ragged_rows_are_listed_and_the_others_are_read() -> None:
    (sheet,) = read(b"a,b\n1,2\n1\n1,2,3\n1,2,,\n5,6\n")
    (chunk,) = sheet.chunks()
    assert chunk.numbers == [2, 5, 6]
    assert [(bad.row, bad.code) for bad in chunk.bad] == [(3, "row.ragged"), (4, "row.ragged")]


def test_a_nul_or_a_byte_of_another_encoding_spoils_its_row_only() -> None:
    text = "a,b\n" + "größer,1\n" * 50
    (sheet,) = read(text.encode() + b"x\x00y,2\n" + b"\xff\xfe,3\n" + b"last,4\n")
    (chunk,) = sheet.chunks()
    assert [(bad.row, bad.code) for bad in chunk.bad] == [(52, "row.not_text"), (53, "row.not_text")]
    assert chunk.cells[-1] == ["last", "4"]


def test_a_cell_without_end_is_listed_or_refused_never_half_read() -> None:
    (sheet,) = read(b"a,b\n" + b"x" * 40_000 + b",1\n2,3\n")
    (chunk,) = sheet.chunks()
    assert [(bad.row, bad.code) for bad in chunk.bad] == [(2, "row.cell_too_long")]
    assert chunk.cells == [["2", "3"]]


def test_a_workbook_keeps_row_numbers_texts_and_dates() -> None:
    content = workbook([["", ""], ["", "item", "qty"], ["", "007", 2.5], ["", "", ""], ["", "8", 3]])
    (sheet,) = read(content, "stock.xlsx")
    (chunk,) = sheet.chunks()
    assert (sheet.name, sheet.columns) == ("stock", ("item", "qty"))
    assert (chunk.numbers, chunk.cells) == ([3, 5], [["007", "2.5"], ["8", "3"]])


def test_every_sheet_of_a_workbook_with_rows_is_read() -> None:
    assert [sheet.name for sheet in read(workbook([["a"], ["1"]], ("items", "stock")))] == ["items", "stock"]


def test_json_keeps_the_digits_that_were_written() -> None:
    (sheet,) = read(b'[{"id": 1.10, "n": 12345678901234567890, "x": null, "to": {"city": "Kiel"}, "l": [1]}]', "a.json")
    assert dict(zip(sheet.columns, sheet.head()[0], strict=True)) == {
        "id": "1.10", "n": "12345678901234567890", "x": "", "to.city": "Kiel", "l": '["1"]',
    }  # fmt: skip


def test_ndjson_and_an_object_of_lists_are_read() -> None:
    assert read(b'{"a": 1}\n{"a": 2, "b": "x"}\n')[0].head() == [["1", ""], ["2", "x"]]
    sheets = read(json.dumps({"items": [{"a": "1"}], "stock": [{"b": "2"}]}).encode())
    assert [(sheet.name, sheet.head()) for sheet in sheets] == [("items", [["1"]]), ("stock", [["2"]])]


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)
    return out.getvalue()


def _far_cell() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, "x")
    return out.getvalue()


PLAIN_CELL = '<c r="A1"><v>1</v></c>'


def _book(cells: str, part: str = "worksheets/sheet1.xml", names: int = 1, **more: str) -> bytes:
    """A workbook written by hand: `names` sheets that are all the same part, and that part's rows."""
    office = "http://schemas.openxmlformats.org"
    main, of = f"{office}/spreadsheetml/2006/main", f"{office}/officeDocument/2006/relationships"
    package = f"{office}/package/2006/relationships"
    sheets = "".join(f'<sheet name="S{n}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(names))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, target, kind in (("_rels/.rels", "xl/workbook.xml", "officeDocument"),
                                   ("xl/_rels/workbook.xml.rels", part, "worksheet")):  # fmt: skip
            related = f'<Relationship Id="rId1" Type="{of}/{kind}" Target="{target}"/>'
            archive.writestr(name, f'<Relationships xmlns="{package}">{related}</Relationships>')
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{of}"><sheets>{sheets}</sheets></workbook>'
        )
        archive.writestr(f"xl/{part}", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>')
        for name, text in more.items():
            archive.writestr(name, text)
    return out.getvalue()


FAR = "".join(f'<row r="{n}"><c r="CV{n}"><v>1</v></c></row>' for n in (1, 9_000))


def test_a_workbook_written_by_hand_is_read() -> None:
    (sheet,) = read(_book(f'<row r="1">{PLAIN_CELL}</row><row><c t="str"><v>x</v></c></row>'))
    assert sheet.columns == ("1",) and sheet.head() == [["x"]]
    assert len(read(_book(FAR, names=22))) == 22


@pytest.mark.parametrize(
    "content",
    [
        _book("<row><c r='XFD1048576'><v>1</v></c></row>"),
        _book('<row><c r = "XFD1048576"><v>1</v></c></row>'),
        _book('<row><c r="xfd1048576"><v>1</v></c></row>'),
        _book('<row><c\nr="XFD1048576"><v>1</v></c></row>', "elsewhere/sheet.xml"),
        _book(f'<row r="1"><c {"x" * 500}="1" r="XFD1048576"><v>1</v></c></row>'),
        _book('<row r="1048576">' + "<c><v>1</v></c>" * 16_000 + "</row>"),
        _book('<row r="99999999999999999999"><c><v>1</v></c></row>' + f"<row>{PLAIN_CELL}</row>"),
        _book(FAR, names=23),
        _book('<row r="1000000"><c r="T1000000"><v>1</v></c></row>'),
    ],
)
def test_a_sheet_that_would_take_gigabytes_is_refused_however_it_is_written(content: bytes) -> None:
    with pytest.raises(ImportRefused) as caught:
        read(content, "small.xlsx")
    assert caught.value.code == "table.too_many_cells"


def test_what_the_reader_would_take_for_another_format_or_expand_is_refused() -> None:
    row = f"<row>{PLAIN_CELL}</row>"
    for content, code in (
        (_book(row, **{"content.xml": "<a/>"}), "table.unknown_format"),
        (_book(row, **{"XL\\Workbook.bin": ""}), "table.unknown_format"),
        (_book(row, **{"xl/x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><sheetData>&b;</sheetData>'}), "table.broken"),
    ):
        with pytest.raises(ImportRefused) as caught:
            read(content, "small.xlsx")
        assert caught.value.code == code


SMALL = Limits(bytes_max=1_000_000, unpacked_bytes_max=2_000_000, rows_max=100, columns_max=10)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x" * 1_000_001, "table.too_large"),
        (b"", "table.empty"),
        (b" \n\n", "table.empty"),
        (b"\xd0\xcf\x11\xe0 old", "table.old_excel"),
        (b"%PDF-1.7", "table.unknown_format"),
        (b"PAR1....", "table.unknown_format"),
        (b"a\0\0\0b\0\0\0\0", "table.unknown_format"),
        (gzip.compress(b"a,b\n" + b"x" * 3_000_000, mtime=0), "table.bomb"),
        (gzip.compress(b"a,b\n" * 1000, mtime=0)[:-20], "table.broken"),
        (_bomb(), "table.bomb"),
        (_far_cell(), "table.too_many_cells"),
        (b"PK\x03\x04 broken", "table.broken"),
        (workbook([["a"], ["b"]])[:-200], "table.broken"),
        (b",".join(b"c%d" % n for n in range(11)) + b"\n", "table.too_many_columns"),
        (b"a,b\n" + b"1,2\n" * 101, "table.too_many_rows"),
        (b'a,b\n"open,' + b"1,2\n" * 10, None),
        (b"[1, 2]", "table.broken"),
        (b'{"a": ', "table.broken"),
        (b"[" * 100_000, "table.broken"),
        (b"[]", "table.empty"),
        (b",,\n,\n", "table.no_header"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_code_and_never_an_exception(content: bytes, code: str | None) -> None:
    try:
        for sheet in read(content, "x", SMALL):
            for chunk in sheet.chunks(10):
                assert len(chunk.numbers) == len(chunk.cells)
    except ImportRefused as refused:
        assert refused.code == code
        assert refused.shape()["message"]
    else:
        assert code is None


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        for sheet in read(content):
            sheet.head()
    except ImportRefused as refused:
        assert refused.code.startswith("table.")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\boot.ini", "a\x00b.csv", "\u202eexe.csv", "/", "", "x" * 999]
)
def test_hostile_file_names_become_harmless(name: str, tmp_path: Path) -> None:
    made = safe_name(name)
    assert made and len(made) <= 80
    assert not set(made) & set("/\\\0\u202e")
    (sheet,) = read(b"a\n1\n", name)
    assert sheet.name == made


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    safe = guarded(text)
    assert unguarded(safe) == text
    assert safe[:1] not in tuple("=@\t\r") and (safe[:1] not in tuple("+-") or any(ch.isdigit() for ch in safe))
