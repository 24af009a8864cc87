"""Tables and files: what an address may ask, and that what is shown is what is exported."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.datastructures import MultiDict

from hanse.web.charts import Flow, Point, Series, band, chart_json, line, world
from hanse.web.export import csv_bytes, csv_stream, json_stream, safe_cell
from hanse.web.memory import found_in
from hanse.web.refusals import Refusal
from hanse.web.tables import Column, Filter, Found, ListQuery, Table, View

STATES = ("open", "late", "paid")
TABLE = Table(
    "orders",
    (
        Column("id", "Order", sortable=True, filterable=True),
        Column("qty", "Quantity", "quantity", sortable=True, filterable=True),
        Column("total", "Total", "money", sortable=True, filterable=True, currency_key="currency"),
        Column("state", "State", "badge", sortable=True, filterable=True, facets=STATES),
        Column("at", "Placed", "time", sortable=True, filterable=True),
        Column("note", "Note", shown=False),
    ),
    sort="-at,id",
    page_rows=5,
)
ROWS: list[dict[str, Any]] = [
    {"id": f"A-{n}", "qty": n * 7 % 11, "total": n * 1_050, "currency": "EUR", "state": STATES[n % 3],
     "at": 1_790_000_000 + n * 86_400, "note": None}
    for n in range(23)
]  # fmt: skip


def parse(text: str, table: Table = TABLE) -> ListQuery:
    return table.parse(MultiDict(parse_qsl(text)))


def test_an_empty_address_asks_for_the_defaults() -> None:
    query = parse("")
    assert query.sort == (("at", True), ("id", False)) and query.limit == 5 and query.cursor is None
    assert query.columns == ("id", "qty", "total", "state", "at")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("columns=id,secret", "table.unknown_column"),
        ("sort=secret", "table.unknown_column"),
        ("sort=note", "table.not_sortable"),
        ("f.secret=1", "table.unknown_column"),
        ("f.note=1", "table.not_filterable"),
        ("f.qty=1", "table.not_filterable"),
        ("f.id.min=1", "table.not_filterable"),
        ("f.qty.most=1", "table.not_filterable"),
        ("rows=0", "table.page_rows"),
        ("rows=1001", "table.page_rows"),
        ("rows=x", "table.page_rows"),
    ],
)
def test_an_address_that_asks_for_what_is_not_permitted_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(text)
    assert refused.value.code == code


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(str.strip).filter(bool)
queries = st.builds(
    ListQuery,
    sort=st.lists(st.tuples(st.sampled_from(["id", "qty", "total", "state", "at"]), st.booleans()), min_size=1,
                  max_size=3, unique_by=lambda pair: pair[0]).map(tuple),
    filters=st.fixed_dictionaries({}, optional={
        "id": st.builds(Filter, text=words), "qty": st.builds(Filter, low=words, high=words),
        "state": st.builds(Filter, values=st.lists(words, min_size=1, max_size=3).map(tuple)),
    }),
    text=st.just("") | words, cursor=st.none() | words, limit=st.integers(1, 1000),
    columns=st.permutations(list(TABLE.by_key)).flatmap(lambda keys: st.integers(1, 6).map(lambda n: tuple(keys[:n]))),
)  # fmt: skip


@given(queries)
def test_an_address_holds_the_whole_state(query: ListQuery) -> None:
    view = View(TABLE, query, Found(()), "/orders")
    assert parse(urlsplit(view.href(query)).query) == query


@given(queries)
def test_every_link_of_a_list_is_an_address_that_the_list_accepts(query: ListQuery) -> None:
    view = View(TABLE, query, Found((), next="7"), "/orders", (("tab", "a&b"),))
    sorts = [view.sort_href(column) for column in view.columns if column.sortable]
    for href in [view.next_href, view.clear_href, *sorts, *(href for _, _, href in view.filtered)]:
        assert ("tab", "a&b") in parse_qsl(urlsplit(href).query)
        parse(urlsplit(href).query)


def test_pages_follow_each_other_without_loss_or_repetition() -> None:
    seen: list[str] = []
    query, pages = parse("sort=qty,-id"), 0
    while True:
        found = found_in(ROWS, TABLE, query)
        seen += [row["id"] for row in found.rows]
        pages += 1
        if found.next is None:
            break
        query = msgspec.structs.replace(query, cursor=found.next)
    assert pages == 5 and sorted(seen) == sorted(row["id"] for row in ROWS)
    assert seen == [r["id"] for r in sorted(sorted(ROWS, key=lambda r: r["id"], reverse=True), key=lambda r: r["qty"])]


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("f.state=open&f.state=late", lambda r: r["state"] != "paid"),
        ("f.qty.min=3&f.qty.max=5", lambda r: 3 <= r["qty"] <= 5),
        ("f.total.min=21&f.total.max=42", lambda r: 2_100 <= r["total"] <= 4_200),
        ("f.at.min=2026-09-23&f.at.max=2026-09-24", lambda r: r["id"] in ("A-2", "A-3")),
        ("f.id=a-1", lambda r: r["id"].startswith("A-1")),
        ("q=A-2", lambda r: r["id"].startswith("A-2")),
    ],
)
def test_filters_keep_what_they_say(text: str, keep: Any) -> None:
    found = found_in(ROWS, TABLE, parse(f"{text}&rows=100"))
    assert {row["id"] for row in found.rows} == {row["id"] for row in ROWS if keep(row)} != set()


def test_facets_count_what_a_tick_would_show() -> None:
    facets = found_in(ROWS, TABLE, parse("f.state=open&f.qty.min=5")).facets["state"]
    for state in STATES:
        assert facets[state] == found_in(ROWS, TABLE, parse(f"f.state={state}&f.qty.min=5")).total


@pytest.mark.parametrize(
    ("text", "code"),
    [("f.qty.min=many", "table.not_a_number"), ("f.qty.max=NaN", "table.not_a_number"),
     ("f.at.min=soon", "table.not_a_day"), ("after=x", "table.cursor")],
)  # fmt: skip
def test_a_filter_that_is_no_figure_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        found_in(ROWS, TABLE, parse(text))
    assert refused.value.code == code


def test_the_files_hold_all_rows_of_the_list_in_its_columns_and_order() -> None:
    query = parse("sort=-qty&f.state=open&columns=total,id,at")
    calls: list[int] = []

    def fetch(asked: ListQuery) -> Found:
        calls.append(asked.limit)
        return found_in(ROWS, TABLE, msgspec.structs.replace(asked, limit=min(asked.limit, 3)))

    shown = found_in(ROWS, TABLE, msgspec.structs.replace(query, limit=1000)).rows
    lines = list(csv.reader(io.StringIO(b"".join(csv_stream(TABLE, query, fetch)).decode("utf-8-sig"))))
    assert lines[0] == ["Total", "Total currency", "Order", "Placed"]
    assert [line[2] for line in lines[1:]] == [row["id"] for row in shown] and len(calls) > 3
    assert lines[1][0] == f"{shown[0]['total'] / 100:.2f}" and lines[1][3].endswith("Z")
    objects = msgspec.json.decode(b"".join(json_stream(TABLE, query, fetch)))
    assert [list(one) for one in objects] == [["total", "id", "at"]] * len(shown)
    assert objects[0]["total"] == {"minor": shown[0]["total"], "currency": "EUR"}
    assert b"".join(json_stream(TABLE, parse("f.id=none"), fetch)) == b"[]\n"


@given(st.lists(st.lists(st.text() | st.integers() | st.none(), min_size=1, max_size=4), max_size=5))
def test_no_cell_of_a_file_begins_a_formula(rows: list[list[Any]]) -> None:
    for row in rows:
        for value in row:
            text = safe_cell(value)
            assert not text.startswith(("=", "+", "@", "\t", "\r"))
            assert not text.startswith("-") or float(text) <= 0
            assert text.removeprefix("'") == ("" if value is None else str(value)).removeprefix("'")
    csv_bytes(rows)


def test_two_tables_of_a_page_do_not_meet_in_the_address() -> None:
    other = Table("others", (Column("id", "Other", sortable=True),), prefix="o.")
    assert parse("sort=-qty&o.sort=-id", other).sort == (("id", True),)
    assert parse("sort=-qty&o.sort=-id").sort == (("qty", True),)


def test_two_columns_cannot_share_a_key() -> None:
    with pytest.raises(ValueError, match="same key"):
        Table("t", (Column("id", "A"), Column("id", "B")))


def test_a_chart_holds_the_figures_of_its_table_and_no_markup() -> None:
    chart = band("</script><b>", ["a", "b"], [1, None], [None, 2], [None, 3], [None, 4], unit="each & more")
    text = str(chart_json(chart))
    assert not set("<>&") & set(text)
    assert msgspec.json.decode(text)["title"] == "</script><b>"
    assert chart.rows == [("a", "1", "–", "–", "–"), ("b", "–", "2", "3", "4")]


def test_a_chart_with_missing_values_or_places_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 values for 1 labels"):
        line("t", ["a"], [Series("s", [1, 2])], unit="each")
    with pytest.raises(ValueError, match="no such place"):
        world("t", [Point("A", 1, 1)], [Flow("A", "B")])
    with pytest.raises(ValueError, match="not a place on Earth"):
        world("t", [Point("A", 91, 0)])
