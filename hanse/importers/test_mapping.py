"""Mappings: TOML there and back, every step of a field, wrong rows listed whole, fix lists, keys, guesses, exports."""

import dataclasses
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.importers import (
    TARGETS,
    Field,
    FieldMap,
    ImportRefused,
    MappingFile,
    Result,
    Section,
    Where,
    apply,
    dump,
    fingerprint,
    fixlist,
    guess,
    library,
    load,
    read,
    row_key,
    stream,
    target,
    values,
)
from hanse.importers import export as exporting
from hanse.importers.bundle import bundle, bundle_toml, ready, template
from hanse.importers.countries import CODES
from hanse.importers.refusal import Problem

word = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
some = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
sources = st.one_of(
    st.builds(lambda c: {"column": c}, some),
    st.builds(lambda c: {"columns": tuple(c)}, st.lists(some, min_size=1, max_size=3)),
    st.builds(lambda c: {"constant": c}, some),
    st.builds(lambda c: {"ordinal_within": c}, some),
)
steps = st.fixed_dictionaries(
    {},
    optional={
        "separator": word, "empty": st.lists(word, min_size=1, max_size=2).map(tuple), "default": word,
        "lookup": st.lists(st.tuples(word, word, word), min_size=1, max_size=2).map(tuple),
        "words": st.dictionaries(word, word, max_size=3), "words_only": st.booleans(), "split": word,
        "take": st.integers(-3, 3), "case": st.sampled_from(["", "upper", "lower"]), "prefix": word, "date": word,
        "decimal": st.sampled_from(["", ",", "."]), "times": st.sampled_from(["", "100", "-1", "0.001", "1/3"]),
        "round": st.sampled_from(["", "half_even", "up", "down"]),
    },
)  # fmt: skip
field_maps = st.builds(lambda source, more: FieldMap(**source, **more), sources, steps)
names = {name: [field.name for field in one.fields] for name, one in TARGETS.items()}
sections = st.sampled_from(sorted(names)).flatmap(
    lambda name: st.builds(
        Section,
        source=word,
        target=st.just(name),
        fields=st.dictionaries(st.sampled_from(names[name]), field_maps, max_size=3),
        where=st.lists(st.builds(Where, word, st.lists(word, max_size=2).map(tuple)), max_size=2).map(tuple),
        distinct=st.booleans(),
        optional=st.booleans(),
        fingerprint=word,
        note=word,
    )
)


@settings(deadline=None)
@given(st.builds(MappingFile, word, st.lists(sections, max_size=2).map(tuple), word))
def test_a_mapping_is_the_same_after_toml(mapping: MappingFile) -> None:
    assert load(dump(mapping)) == mapping


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    try:
        load(text)
    except ImportRefused as refused:
        assert refused.code.startswith("mapping.")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name = ", "mapping.not_toml"),
        ("nam = 'x'", "mapping.wrong_key"),
        ("[[section]]\ntarget = 'stok'", "mapping.unknown_target"),
        ("[[section]]\ntarget = 'stock'\n[section.fields]\nmenge = 'Menge'", "mapping.unknown_field"),
        ("[[section]]\ntarget = 'stock'\n[section.fields]\nitem = {colum = 'x'}", "mapping.wrong_key"),
        (
            "[[section]]\ntarget = 'stock'\n[section.fields]\nitem = {column = 'x', constant = 'y'}",
            "mapping.wrong_value",
        ),
        (
            "[[section]]\ntarget = 'stock'\n[section.fields]\nitem = {column = 'x', times = '1e9'}",
            "mapping.wrong_value",
        ),
        ("[[section]]\ntarget = 'stock'\n[section.fields]\nitem = {column = 'x', take = 'y'}", "mapping.wrong_value"),
        ("[[section]]\ntarget = 'stock'\n[section.fields]\nitem = 7", "mapping.wrong_value"),
        ("[[section]]\ntarget = 'stock'\nwhere = [7]", "mapping.wrong_value"),
        ("section = 1", "mapping.wrong_value"),
        ("section = [1]", "mapping.wrong_value"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(text)
    assert refused.value.code == code


def one_value(spec: FieldMap, field: str, text: str, target_name: str = "orders") -> object:
    """Apply one field to one cell -> its value, or the code of its refusal."""
    (sheet,) = read(f'x,order,item,quantity_ordered\n"{text}",1,2,3\n'.encode(), "t")
    needed = {name: FieldMap(name) for name in ("order", "item", "quantity_ordered")}
    (batch,) = stream(Section("t", target_name, needed | {field: spec}), sheet)
    return batch.bad[0].code if batch.bad else batch.good[0].values[field]


@pytest.mark.parametrize(
    ("spec", "field", "text", "value"),
    [
        (FieldMap("x"), "price_minor", "12.5", 1250),
        (FieldMap("x"), "price_minor", "12.505", "money.too_fine"),
        (FieldMap("x", round="half_even"), "price_minor", "12.505", 1250),
        (FieldMap("x", times="100"), "price_minor", "12.5051", 125051),
        (FieldMap("x", decimal=","), "price_minor", "1.234,50 €", 123450),
        (FieldMap("x", decimal="."), "price_minor", "1,234.50", 123450),
        (FieldMap("x"), "price_minor", "1,234.50", "money.not_a_number"),
        (FieldMap("x"), "price_minor", "-1", "money.out_of_range"),
        (FieldMap("x"), "price_minor", "NaN", "money.not_a_number"),
        (FieldMap("x"), "price_minor", "1e99", "money.out_of_range"),
        (FieldMap("x", empty=("NULL",)), "price_minor", "NULL", None),
        (FieldMap("x", empty=("NULL",), default="3"), "price_minor", "NULL", 300),
        (FieldMap("x", times="-1"), "quantity_ordered", "-4", 4),
        (FieldMap("x"), "quantity_ordered", "0", "quantity.out_of_range"),
        (FieldMap("x"), "quantity_ordered", "1.5", "quantity.too_fine"),
        (FieldMap("x"), "quantity_ordered", "3.00", 3),
        (FieldMap("x"), "quantity_ordered", "99999999999999999999", "quantity.out_of_range"),
        (FieldMap("x"), "discount_ppm", "12.5 %", 125_000),
        (FieldMap("x"), "discount_ppm", "0.125", 125_000),
        (FieldMap("x", unit="KGM", to="GRM"), "weight_g", "1.25", 1250),
        (FieldMap("x", unit="LBR", to="GRM"), "weight_g", "1", "quantity.too_fine"),
        (FieldMap("x", unit="LBR", to="GRM", round="half_even"), "weight_g", "1", 454),
        (FieldMap("x", date="%d.%m.%Y"), "ordered_on", "31.12.2024", "2024-12-31"),
        (FieldMap("x", date="%d.%m.%Y"), "ordered_on", "2024-12-31", "date.not_a_date"),
        (FieldMap("x"), "ordered_on", "2024-12-31 10:11:12.123", "2024-12-31"),
        (FieldMap("x"), "ordered_on", "2023-02-29", "date.not_a_date"),
        (FieldMap("x"), "ordered_on", "20241231", "2024-12-31"),
        (FieldMap("x", words={"K": "sale"}, words_only=True), "kind", "K", "sale"),
        (FieldMap("x", words={"K": "sale"}, words_only=True), "kind", "L", "words.unknown"),
        (FieldMap("x"), "kind", "gift", "enum.unknown"),
        (FieldMap("x", case="upper", prefix="SUP-"), "supplier", "ab", "SUP-AB"),
        (FieldMap("x", split="/", take=-1), "supplier", "a / b", "b"),
        (FieldMap("x", split="/", take=4), "supplier", "a / b", None),
        (FieldMap(columns=("x", "item"), separator="-"), "supplier", "A", "A-2"),
        (FieldMap("x"), "unit", "Stück", "C62"),
        (FieldMap("x"), "unit", "wibble", "unit.unknown"),
        (FieldMap("x"), "ship_country", "Österreich", "AT"),
        (FieldMap("x"), "ship_country", "Atlantis", "country.unknown"),
        (FieldMap("x"), "supplier", "a\u202eb", "text.control_sign"),
        (FieldMap("x"), "supplier", "y" * 2001, "text.too_long"),
        (FieldMap("x"), "order", "", "field.empty"),
    ],
)
def test_every_step_of_a_field(spec: FieldMap, field: str, text: str, value: object) -> None:
    assert one_value(spec, field, text) == value


STOCK = "Artikel;Lager;Menge;Wert\nB1;HH;5;1,50\nB2;HH;x;y\n;HH;3;1,00\nB1;HH;5;1,50\nB1;HH;6;1,50\nB3;HH;7;\n"
SECTION = Section(
    "stock",
    "stock",
    {
        "item": FieldMap("Artikel"),
        "site": FieldMap("Lager"),
        "quantity_each": FieldMap("Menge"),
        "value_minor": FieldMap("Wert", decimal=","),
    },
)


def applied(text: str, section: Section = SECTION) -> Result:
    (result,) = apply(MappingFile("m", (section,)), read(text.encode(), "stock.csv"))
    return result


def test_every_wrong_cell_of_every_wrong_row_is_listed() -> None:
    result = applied(STOCK)
    assert [(row.number, row.values["item"]) for row in result.good] == [(2, "B1"), (7, "B3")]
    assert [(bad.row, bad.column, bad.code, bad.got) for bad in result.bad] == [
        (3, "Menge", "quantity.not_a_number", "x"),
        (3, "Wert", "money.not_a_number", "y"),
        (4, "Artikel", "field.empty", ""),
        (5, "", "row.repeated", "B1, HH"),
        (6, "", "row.key_repeated", "B1, HH"),
    ]
    assert result.rows_read == 6


def test_distinct_merges_what_repeats_a_key() -> None:
    result = applied(STOCK, dataclasses.replace(SECTION, distinct=True))
    assert (len(result.good), result.merged, len(result.bad_cells)) == (2, 2, 2)


def test_where_leaves_rows_out_and_counts_them() -> None:
    section = dataclasses.replace(SECTION, where=(Where("Artikel", starts=("B",)), Where("Artikel", without=("B1",))))
    result = applied(STOCK, section)
    assert (len(result.good), result.skipped, len(result.bad_cells), result.rows_read) == (1, 4, 1, 6)


def test_a_corrected_fix_list_imports_the_rest_and_keeps_row_numbers() -> None:
    result = applied(STOCK)
    listed = fixlist.write(result)
    assert listed.count("\r\n") == 5
    fixed = listed.replace(",x,y,", ',8,"2,25",').replace("\r\n4,,", "\r\n4,B9,")
    (sheet,) = read(fixed.encode(), "stock.csv")
    (again,) = apply(MappingFile("m", (SECTION,)), [fixlist.read_back(sheet)])
    assert again.columns == result.columns
    assert [(row.number, row.values["item"], row.values["quantity_each"]) for row in again.good] == [
        (3, "B2", 8), (4, "B9", 3), (5, "B1", 5),
    ]  # fmt: skip
    first = {row_key("stock", row.values) for row in result.good}
    assert row_key("stock", again.good[2].values) in first, "the repeated row is known by its key and adds nothing"


@settings(deadline=None)
@given(st.lists(st.text(string.printable, min_size=1, max_size=12), min_size=1, max_size=5))
def test_a_fix_list_gives_back_the_cells_as_they_were(items: list[str]) -> None:
    cells = [item.replace("\r", " ").replace("\n", " ").replace("\x0b", " ").replace("\x0c", " ") for item in items]
    rows = "".join('"' + cell.replace('"', '""') + '",HH,bad,\n' for cell in cells)
    (sheet,) = read(b"Artikel,Lager,Menge,Wert\n" + rows.encode(), "stock")
    (result,) = apply(MappingFile("m", (SECTION,)), [sheet])
    (again,) = read(fixlist.write(result).encode(), "stock")
    back = fixlist.read_back(again)
    (chunk,) = back.chunks()
    assert chunk.cells == [result.bad_cells[n] for n in chunk.numbers]
    assert len(chunk.cells) == len(cells)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["item", "site", "lot", "quantity_each"]), st.one_of(word, st.integers()), min_size=1
    )
)
def test_row_keys_tell_contents_apart_and_forget_order(row: dict[str, str | int]) -> None:
    key = row_key("stock", row)
    assert key == row_key("stock", dict(reversed(row.items()))) == row_key("stock", row | {"bin": None})
    changed = next(iter(row))
    assert key != row_key("stock", row | {changed: "something else"})
    assert key != row_key("offers", row)


def test_refusals_of_applying_come_in_their_order() -> None:
    sheets = read(STOCK.encode(), "stock.csv")
    cases = [
        (dataclasses.replace(SECTION, source="other"), "mapping.no_sheet"),
        (dataclasses.replace(SECTION, fields={"item": FieldMap("Nummer")}), "mapping.no_column"),
        (dataclasses.replace(SECTION, fields={"item": FieldMap("Artikel")}), "mapping.field_missing"),
        (
            dataclasses.replace(
                SECTION, fields={**SECTION.fields, "bin": FieldMap("Lager", lookup=(("L", "a", "b"),))}
            ),
            "mapping.no_lookup",
        ),
    ]
    for section, code in cases:
        with pytest.raises(ImportRefused) as refused:
            apply(MappingFile("m", (section,)), sheets)
        assert refused.value.code == code


def test_look_ups_follow_steps_and_say_what_is_missing_or_twice() -> None:
    sheets = [
        *read(b"item,site,quantity_each,place\n1,S,2,a\n2,S,2,b\n3,S,2,c\n4,S,2,d\n5,S,2,\n", "stock"),
        *read(b"place,row\na,r1\nb,r2\nc,r9\nc,r8\n", "places"),
        *read(b"row,bin\nr1,BIN-1\n", "rows"),
    ]
    fields = {name: FieldMap(name) for name in ("item", "site", "quantity_each")}
    fields["bin"] = FieldMap("place", lookup=(("places", "place", "row"), ("rows", "row", "bin")))
    (result,) = apply(MappingFile("m", (Section("stock", "stock", fields),)), sheets)
    assert [row.values["bin"] for row in result.good] == ["BIN-1", None]
    assert [(bad.row, bad.code) for bad in result.bad] == [
        (3, "lookup.missing"), (4, "lookup.ambiguous"), (5, "lookup.missing"),
    ]  # fmt: skip


def test_the_bundle_file_is_what_the_code_says_and_its_templates_import_without_a_fault() -> None:
    assert ready("hanse") == bundle() == load(bundle_toml())
    for name, goal in TARGETS.items():
        (result,) = apply(ready("hanse"), read(template(name).encode(), f"{name}.csv"))
        assert (result.section.target, len(result.good), result.bad, result.unused) == (name, 1, [], ())
        assert set(result.good[0].values) == {field.name for field in goal.fields}


def test_an_unknown_column_of_the_bundle_is_named() -> None:
    (result,) = apply(ready("hanse"), read(b"item,descripton\n1,bearing\n", "items.csv"))
    assert result.unused == ("descripton",)


def value_of(field: Field) -> st.SearchStrategy[object]:
    """Values of a field as `apply` gives them."""
    text = st.text(string.ascii_letters + string.digits + " =+-@'\",;äß", min_size=1, max_size=10).map(str.strip)
    kinds: dict[str, st.SearchStrategy[object]] = {
        "text": text.filter(bool), "flag": st.booleans(), "date": st.dates().map(str), "unit": st.just("BX"),
        "datetime": st.datetimes().map(lambda d: d.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
        "gtin": st.just("06291041500213"), "country": st.sampled_from(sorted(CODES)), "currency": st.just("EUR"),
        "enum": st.sampled_from(field.values or ("",)),
    }  # fmt: skip
    value = kinds.get(field.type, st.integers(max(field.minimum, -(10**12)), min(field.maximum, 10**12)))
    return value if field.required else st.one_of(st.none(), value)


@pytest.mark.parametrize("name", sorted(TARGETS))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_is_exported_imports_as_the_same_rows(name: str, form: str, data: st.DataObject) -> None:
    goal = target(name)
    row = {field.name: data.draw(value_of(field)) for field in goal.fields}
    made = exporting.table(name, [row])
    content = exporting.to_csv(made).encode() if form == "csv" else exporting.to_xlsx({name: made})
    (sheet,) = read(content, f"{name}.{form}")
    (result,) = apply(ready("hanse"), [sheet])
    guarded = {k: exporting.guarded(v) if form == "csv" and isinstance(v, str) else v for k, v in row.items()}
    assert result.bad == []
    assert result.good[0].values == guarded
    assert made.left_out == {}


def test_a_mapping_runs_backwards_where_it_can_and_says_where_not() -> None:
    fields = {
        "order": FieldMap("Auftrag", prefix="A-"),
        "item": FieldMap("Artikel"),
        "quantity_ordered": FieldMap("Menge"),
        "price_minor": FieldMap("Preis", decimal=",", times="100"),
        "price_per": FieldMap(constant="100"),
        "ordered_on": FieldMap("Datum", date="%d.%m.%Y"),
        "kind": FieldMap("Art", words={"V": "sale", "E": "purchase"}, words_only=True),
        "weight_g": FieldMap("Gewicht kg", unit="KGM", to="GRM", decimal=","),
        "ship_to": FieldMap(columns=("Ort", "PLZ")),
    }
    source = (
        "Auftrag;Artikel;Menge;Preis;Datum;Art;Gewicht kg;Ort;PLZ\n"
        "7;0042;3;45,5805;31.12.2024;V;1,25;Kiel;24103\n8;=1;1;2;01.02.2024;E;2;;\n"
    )
    section = Section("auftrag", "orders", fields)
    (result,) = apply(MappingFile("m", (section,)), read(source.encode(), "auftrag"))
    assert result.bad == []
    made = exporting.table("orders", [row.values for row in result.good], section)
    assert made.left_out == {"ship_to": "several columns were joined"}
    assert dict(zip(made.columns, made.rows[0], strict=True)) == {
        "Auftrag": "7", "Artikel": "0042", "Menge": "3", "Preis": "45,5805", "Datum": "31.12.2024", "Art": "V",
        "Gewicht kg": "1,25",
    }  # fmt: skip
    assert "'=1" in exporting.to_csv(made, ";")
    unknown = exporting.table("orders", [{"order": "B-1", "item": "x", "kind": "return"}], section)
    assert set(unknown.left_out) == {"ship_to", "order", "kind"}


GUESSES = [
    ("stock", "Artikelnummer;Lagerort;Lagerplatz;Bestand;Stand\nB1;HH;A-1;1.250;31.12.2024\nB2;HH;A-2;7;30.11.2024\n",
     {"item": "Artikelnummer", "site": "Lagerort", "bin": "Lagerplatz", "quantity_each": "Bestand",
      "counted_at": "Stand"}),
    ("items", "SKU,Name,EAN,Manufacturer,MPN,UOM,List Price\nA1,Bearing,6291041500213,SKF,6204,pcs,12.50\n",
     {"item": "SKU", "description": "Name", "gtin": "EAN", "brand": "Manufacturer", "part_number": "MPN", "unit": "UOM",
      "list_price_minor": "List Price"}),
    ("parties", "Code client;Raison sociale;Ville;Pays\n17;Durand SA;Lyon;France\n",
     {"party": "Code client", "name": "Raison sociale", "city": "Ville", "country": "Pays"}),
    ("orders", "Pedido,Cliente,Artículo,Cantidad,Precio unitario,Fecha\n1,C1,A1,5,2.50,31/12/2024\n",
     {"order": "Pedido", "customer": "Cliente", "item": "Artículo", "quantity_ordered": "Cantidad",
      "price_minor": "Precio unitario", "ordered_on": "Fecha"}),
    ("terms", "Vendor,Part No,Lead Time,MOQ,Price\nV1,A1,14,10,7.90\n",
     {"supplier": "Vendor", "item": "Part No", "lead_time_days": "Lead Time", "quantity_min": "MOQ",
      "price_minor": "Price"}),
    ("tariffs", "Carrier,From,To,Weight from,Weight to,Rate\nDHL,HH,B,0,5000,0.71\n",
     {"carrier": "Carrier", "origin": "From", "destination": "To", "weight_min_g": "Weight from",
      "weight_max_g": "Weight to", "rate_minor": "Rate"}),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "text", "columns"), GUESSES)
def test_usual_column_names_in_four_languages_are_guessed(goal: str, text: str, columns: dict[str, str]) -> None:
    sheets = read(text.encode(), "export")
    found = guess(sheets[0])
    (section,) = found.sections
    assert section.target == goal
    assert {k: v.column for k, v in section.fields.items() if v.column} == columns
    (result,) = apply(load(dump(found)), sheets)
    assert result.bad == []
    assert found.confidence["section"] >= 75


def test_a_guess_without_a_needed_column_has_no_confidence() -> None:
    (sheet,) = read(b"Artikel;Farbe\n1;rot\n", "x")
    assert guess(sheet, "stock").confidence["section"] == 0


def test_a_column_of_the_right_name_with_other_values_is_not_taken() -> None:
    (sheet,) = read(b"item,site,quantity\nA,HH,many\nB,HH,few\n", "x")
    assert "quantity_each" not in guess(sheet, "stock").sections[0].fields


def test_a_saved_mapping_is_found_again_by_the_columns_of_a_file(tmp_path: Path) -> None:
    (sheet,) = read(b"Artikel;Lager;Menge\n1;HH;2\n", "bestand_mai")
    mapping = dataclasses.replace(guess(sheet, "stock"), name="our_stock", confidence={})
    library.save(tmp_path, mapping)
    (tmp_path / "broken.toml").write_text("name = ")
    (june,) = read(b"Menge;ARTIKEL;Lager\n9;1;HH\n", "bestand_juni")
    assert library.find(tmp_path, [june]) == mapping
    assert fingerprint(june.columns) == mapping.sections[0].fingerprint
    (result,) = apply(mapping, read(b"Artikel;Lager;Menge\n1;HH;2\n", "bestand_juli"))
    assert len(result.good) == 1
    assert library.find(tmp_path, read(b"other\n1\n")) is None
    with pytest.raises(ImportRefused) as refused:
        library.save(tmp_path, dataclasses.replace(mapping, name="../evil"))
    assert refused.value.code == "mapping.name"


@settings(deadline=None)
@given(st.sampled_from([f for one in TARGETS.values() for f in one.fields]), st.text(max_size=25))
def test_any_text_is_a_value_in_range_or_a_problem(field: Field, text: str) -> None:
    value = values.convert(text.strip(), field)
    if isinstance(value, int) and not isinstance(value, bool):
        assert field.minimum <= value <= field.maximum
    elif not isinstance(value, Problem):
        assert value is None or isinstance(value, str | bool)


def test_targets_can_be_replaced_and_wrong_ones_are_refused() -> None:
    from hanse.importers import Target, register

    with pytest.raises(ValueError, match="no such type or key field: colour, b"):
        register([Target("x", "X", ("b",), (Field("colour", "paint"),))])
    old = TARGETS["sites"]
    register([dataclasses.replace(old, title="Places")])
    assert target("sites").title == "Places"
    register([old])
