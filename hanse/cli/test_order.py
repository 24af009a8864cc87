"""`hanse order`: placed with its terms, then confirmed, shipped, received, returned; wrong words change nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from hanse.cli import main
from hanse.rooms.orders.pages_forms import day_text
from hanse.rooms.orders.rows import Line
from hanse.site.testing import DAY, SmallTown


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    town = SmallTown(tmp_path_factory.mktemp("town"))
    town.offer("o-ab", "bob", circle=town.ab, each=40, price=1000)
    for name, po in (
        ("day-1", "D1"),
        ("day-2", "D2"),
        ("day-3", "D2"),
        ("day-4", "D4"),
        ("day-5", "D5"),
        ("day-6", "D6"),
    ):
        town.order(name, po_number=po)
    path = town.node.directory
    town.close()
    return path


def run(directory: Path, capsys: pytest.CaptureFixture[str], *words: str, as_: str = "ann") -> tuple[int, Any]:
    capsys.readouterr()
    code = main([*words, "--as", as_, "--data", str(directory), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_order_is_placed_with_its_terms(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = day_text(int(time.time()) + 30 * DAY)
    code, bought = run(
        directory, capsys, "order", "place", "SKF 6205", "3", "--city", "Rostock", "--po", "4711", "--rest", "complete",
        "--cancel-after", ends,
    )  # fmt: skip
    assert code == 0, bought
    order = bought["orders"][0]["order"]
    code, shown = run(directory, capsys, "order", "show", order)
    assert code == 0 and shown["order"]["ship_complete"] and shown["terms"]["po_number"] == "4711"
    assert day_text(shown["order"]["cancel_after_at"]) == ends and shown["order"]["state"] == "confirmed"


@pytest.mark.parametrize(
    ("words", "code", "exits"),
    [
        (("--cancel-after", "never"), "form.not_a_day", 2),
        (("--cancel-after", "1999-01-01"), "orders.bad_deadline", 2),
        (("--cancel-after", "2999-01-01"), "orders.bad_deadline", 2),
        (("--rest", "sometime"), "", 64),
        (("--currency", "Euro"), "order.bad_currency", 2),
    ],
)
def test_wrong_terms_are_refused_before_anything_is_ordered(
    directory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str, exits: int
) -> None:
    _, before = run(directory, capsys, "order", "list")
    found, said = run(directory, capsys, "order", "place", "SKF 6205", "3", "--city", "Rostock", *words)
    assert found == exits and (not code or said["refused"]["code"] == code)
    assert run(directory, capsys, "order", "list")[1] == before


def test_an_order_goes_from_confirmed_to_returned_and_rated_by_commands_alone(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def do(who: str, *words: str) -> Any:
        code, said = run(directory, capsys, "order", *words, as_=who)
        assert code == 0, said
        return said

    assert do("bob", "confirm", "D1", "--price", "1=9.50", "--note", "gladly")["state"] == "confirmed"
    shipped = do(
        "bob", "ship", "day-1", "--line", "1=6", "--carrier", "DHL", "--arrive-by", day_text(int(time.time()) + 3 * DAY)
    )
    assert shipped["state"] == "part_shipped" and shipped["subject"].startswith("S-")
    assert do("bob", "hand-over", "D1", "--taken-by", "Jo")["subject"] == shipped["subject"]
    do("ann", "receive", "D1", "--line", "1=5", "--damaged", "1=1", "--reason", "1=crushed", "--received-by", "Ann")
    back = do("ann", "return", "D1", "--line", "1=1", "--reason", "crushed")
    assert do("bob", "accept-return", "D1", "--note", "sorry")["subject"] == back["subject"]
    do("bob", "contest", "D1", "it was whole")
    do("ann", "rate", "D1", "2", "--comment", "late")
    assert do("bob", "cancel", "D1")["state"] == "received"
    page = do("ann", "show", "D1")
    line = dict(zip(Line.__struct_fields__, page["lines"][0]["balance"], strict=True))
    assert (line["confirmed"], line["shipped"], line["received"], line["damaged"], line["returned"]) == (6, 6, 5, 1, 1)
    assert line["cancelled"] == 4 and page["returns"][0]["accepted_each"] == 1
    shown = page["shipments"][0]
    assert shown["rating"]["score"] == 2 and shown["terms"]["carrier"] == "DHL" and shown["shipment"]["contested_by"]
    assert [step["step"] for step in page["timeline"]][:4] == ["placed", "confirmed", "shipped", "handed_over"]


def test_an_item_is_found_in_the_currency_that_is_asked_for(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("order", "find", "SKF 6205", "3", "--city", "Rostock")
    code, found = run(directory, capsys, *words)
    assert code == 0 and found["currency"] == "EUR" and not found["plan"]["lines"][0]["unserved_each"]
    code, found = run(directory, capsys, *words, "--currency", "sek")
    assert code == 0 and found["currency"] == "SEK" and found["other_currencies"] == ["EUR"]
    assert found["plan"]["lines"][0]["unserved_each"] == 3


def test_the_same_command_under_a_key_is_done_once(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("order", "confirm", "day-2", "--line", "1=4", "--key", "k")
    (_, first), (_, again) = (run(directory, capsys, *words, as_="bob") for _ in range(2))
    assert (first["repeated"], again["repeated"]) == (False, True) and first["position"] == again["position"]
    code, other = run(directory, capsys, "order", "confirm", "day-2", "--key", "k", as_="bob")
    assert code == 2 and other["refused"]["code"] == "api.key_reused"
    _, page = run(directory, capsys, "order", "show", "day-2")
    assert page["lines"][0]["balance"][3] == 4


def test_a_purchase_under_a_key_is_placed_once(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("order", "place", "SKF 6205", "2", "--city", "Rostock", "--po", "4713", "--key", "p")
    (_, first), (code, again) = (run(directory, capsys, *words) for _ in range(2))
    assert code == 0 and (first["repeated"], again["repeated"]) == (False, True)
    assert first["orders"] == again["orders"]
    _, listed = run(directory, capsys, "order", "list", "--side", "buy")
    assert [row["order"] for row in listed].count(first["orders"][0]["order"]) == 1
    code, other = run(directory, capsys, *words[:3], "3", *words[4:])
    assert code == 2 and other["refused"]["code"] == "api.key_reused"


def test_a_key_whose_purchase_was_refused_is_free_again(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("order", "place", "SKF 6205", "1", "--city", "Rostock", "--key", "free")
    code, said = run(directory, capsys, *words, "--cancel-after", "1999-01-01")
    assert code == 2 and said["refused"]["code"] == "orders.bad_deadline"
    code, said = run(directory, capsys, *words)
    assert code == 0 and not said["repeated"]


PNG = b"\x89PNG\r\n\x1a\n" + b"drawn"
JPEG = b"\xff\xd8\xff" + b"taken"


def test_a_proof_of_delivery_and_messages_carry_files_by_path(
    directory: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def do(who: str, *words: str) -> Any:
        code, said = run(directory, capsys, "order", *words, as_=who)
        assert code == 0, said
        return said

    drawn, taken, notes = tmp_path / "s.png", tmp_path / "p.jpg", tmp_path / "Lieferschein 7.pdf"
    drawn.write_bytes(PNG)
    taken.write_bytes(JPEG)
    notes.write_bytes(b"notes")
    do("bob", "confirm", "D6")
    shipment = do("bob", "ship", "D6", "--line", "1=2")["subject"]
    handed = ("hand-over", "D6", "--taken-by", "Jo", "--signature", str(drawn), "--photo", str(taken), "--key", "h")
    assert [do("bob", *handed)["repeated"] for _ in range(2)] == [False, True]
    drawn.write_bytes(PNG + b"again")
    code, said = run(directory, capsys, "order", *handed, as_="bob")
    assert code == 2 and said["refused"]["code"] == "api.key_reused", "another file is another call"
    do("ann", "receive", "D6", "--received-by", "Ann", "--signature", str(drawn))
    told = ("message", "D6", "[/] see the note", "--file", str(notes), "--shipment", shipment, "--key", "m")
    assert [do("bob", *told)["repeated"] for _ in range(2)] == [False, True]
    do("ann", "message", "D6", "--line", "1", "--file", str(taken))
    read = do("ann", "messages", "D6", "--save", str(tmp_path / "got"))
    assert [(one["shipment"], bool(one["item"]), one["text"]) for one in read["messages"]] == [
        (shipment, False, "[/] see the note"),
        ("", True, ""),
    ]
    got = {path.name: path.read_bytes() for path in (tmp_path / "got").iterdir()}
    assert got == {
        "Lieferschein 7.pdf": b"notes",
        "p.jpg": JPEG,
        f"{shipment}-hand-over-signature.png": PNG,
        f"{shipment}-hand-over-photo.jpg": JPEG,
        f"{shipment}-receipt-signature.png": PNG + b"again",
    }
    assert main(["order", "messages", "D6", "--as", "ann", "--data", str(directory)]) == 0
    assert "[/] see the note" in capsys.readouterr().out
    code, said = run(directory, capsys, "order", "messages", "D6", as_="eve")
    assert code == 2 and said["refused"]["code"] == "order.unknown_order"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("hand-over", "D5", "--signature", "jpeg"), "form.bad_signature"),
        (("hand-over", "D5", "--signature", "png+"), "form.bad_signature"),
        (("hand-over", "D5", "--photo", "text"), "form.bad_photo"),
        (("receive", "D5", "--photo", "nowhere"), "file.failed"),
        (("receive", "D5", "--photo", "."), "file.failed"),
        (("message", "D5"), "orders.empty_message"),
        (("message", "D5", "--file", "none"), "order.empty_file"),
        (("message", "D5", "--file", "large"), "desk.file_too_large"),
        (("message", "D5", "about", "--shipment", "S-none"), "form.choice"),
        (("message", "D5", "about", "--line", "7"), "order.not_a_line"),
        (("message", "nothing", "about"), "order.unknown_order"),
    ],
)
def test_wrong_files_and_messages_sign_nothing(
    directory: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    files = {"jpeg": JPEG, "png+": PNG + bytes(300_000), "text": b"text", "none": b"", "large": bytes(10_000_001)}
    if words[-1] in files:
        (tmp_path / words[-1]).write_bytes(files[words[-1]])
    if words[-1] in (*files, "nowhere", "."):
        words = (*words[:-1], str(tmp_path / words[-1]))
    _, before = run(directory, capsys, "order", "show", "day-5")
    found, said = run(directory, capsys, "order", *words, as_="bob")
    assert found == 2 and said["refused"]["code"] == code, said
    assert run(directory, capsys, "order", "show", "day-5")[1] == before


def test_a_change_is_answered_and_an_order_declined(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(directory, capsys, "order", "confirm", "D4", "--line", "1=3", "--price", "12.00", as_="bob")
    code, said = run(directory, capsys, "order", "answer", "D4", "no")
    assert code == 0 and said["state"] == "confirmed"
    code, said = run(directory, capsys, "order", "decline", "D4", "--reason", "sold out", as_="bob")
    assert code == 0 and said["state"] == "declined"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ship", "nothing"), "order.unknown_order"),
        (("confirm", "D2"), "order.which_order"),
        (("confirm", "D5", "--line", "1"), "order.not_a_line"),
        (("confirm", "D5", "--line", "7=1"), "order.not_a_line"),
        (("confirm", "D5", "--price", "1=2", "--price", "3"), "order.said_twice"),
        (("confirm", "D5", "--line", "1=many"), "form.not_a_number"),
        (("confirm", "D5", "--promised", "soon"), "form.not_a_day"),
        (("ship", "D5"), "orders.nothing_shipped"),
        (("ship", "D5", "--line", "1=1"), "orders.more_than_confirmed"),
        (("ship", "D5", "--line", "1=1", "--site", "store-ann"), "order.no_stock_there"),
        (("hand-over", "D5"), "order.which_shipment"),
        (("receive", "D5", "--shipment", "S-none"), "orders.unknown_shipment"),
        (("accept-return", "D5"), "order.which_return"),
        (("return", "D5", "--line", "1=1"), "order.which_shipment"),
    ],
)
def test_wrong_words_sign_nothing(
    directory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    _, before = run(directory, capsys, "order", "show", "day-5")
    found, said = run(directory, capsys, "order", *words, as_="bob")
    assert found == 2 and said["refused"]["code"] == code
    assert run(directory, capsys, "order", "show", "day-5")[1] == before


def test_stock_at_several_places_is_asked_for(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(
        directory, capsys, "stock", "count", "bob-6205", "9", "--site", "store-bob", "--lot", "L2", as_="bob"
    )
    assert code == 0, said
    run(directory, capsys, "order", "confirm", "D5", as_="bob")
    code, said = run(directory, capsys, "order", "ship", "D5", "--line", "1=2", as_="bob")
    assert (
        code == 2
        and said["refused"]["code"] == "order.which_stock"
        and "store-bob, lot L2: 9 free" in said["refused"]["expected"]
    )
    code, said = run(directory, capsys, "order", "ship", "D5", "--line", "1=2", "--lot", "L2", as_="bob")
    assert code == 0, said
    _, card = run(directory, capsys, "stock", "card", "bob-6205", as_="bob")
    assert {(row["lot"], row["on_hand_each"]) for row in card["stock"]} >= {("L2", 7)}
