"""What matches by itself, and what waits for a person."""

from pathlib import Path

from hanse.importers import ready
from hanse.importers.facts import Imported, imported
from hanse.importers.facts_plan import Options
from hanse.importers.facts_testing import bring, firm, sheet
from hanse.importers.matching_items import match_own_items
from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import ITEMS, OWN_ITEMS, PublishItem

HEAD = "item,description,gtin,brand,part_number,cost,price_per,currency\n"
ROWS = """A1,Bearing,6291041500213,SKF,6204-2RSH,5.00,1,EUR
A2,V-belt,,Gates,SPA 1250,20.00,1,EUR
A3,Seal,,SKF,CR 1234,1.00,1,EUR
A4,Something,,,,1.00,1,EUR"""


def publish(desk: Desk) -> None:
    """Three items of the network; the third has A1's part number and another GTIN."""
    desk.do(
        PublishItem(item="n-bearing", description="Ball bearing", gtin="06291041500213", brand="Other", part_number="X")
    )
    desk.do(PublishItem(item="n-belt", description="Belt", brand="GATES", part_number="SPA-1250"))
    desk.do(PublishItem(item="n-odd", description="Odd", gtin="00012345600012", brand="SKF", part_number="6204 2RSH"))


def links(desk: Desk) -> dict[str, tuple[str, str]]:
    return {row.own_number: (row.item, row.method) for row in desk.view.rows(OWN_ITEMS)}


def test_gtin_then_brand_and_part_number_are_linked_in_the_same_import(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        publish(desk)
        found = bring(desk, items=HEAD + ROWS, stock="item,site,quantity_each\nA1,HH,10\nA3,HH,50")
        assert links(desk) == {
            "A1": ("n-bearing", "gtin"), "A2": ("n-belt", "brand_part"), "A3": ("", ""), "A4": ("", ""),
        }  # fmt: skip
        assert found.matched and found.matched.linked == {"gtin": 1, "brand_part": 1}
        assert (found.matched.lines_matched_ppm, found.matched.money[0].matched_ppm) == (500_000, 500_000)
        assert bring(desk, items=HEAD + ROWS).facts == {}


def test_an_item_that_is_published_later_is_linked_when_asked(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, items=HEAD + ROWS)
        assert match_own_items(desk).linked == {}
        publish(desk)
        assert match_own_items(desk).linked == {"gtin": 1, "brand_part": 1}
        assert match_own_items(desk).linked == {}, "and once only"


def test_a_doubtful_pair_is_left_to_people(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        desk.do(
            PublishItem(item="n-odd", description="Odd", gtin="00012345600012", brand="SKF", part_number="6204 2RSH")
        )
        bring(desk, items=HEAD + ROWS)
        assert links(desk)["A1"] == ("", ""), "same part number, another GTIN"


def test_items_are_published_only_when_asked_and_only_those_that_are_new(tmp_path: Path) -> None:
    def run(desk: Desk, publish: bool) -> Imported:
        return imported(desk, [sheet("items", HEAD + ROWS)], ready("hanse"), Options(publish=publish))

    with firm(tmp_path / "n") as desk:
        desk.do(PublishItem(item="n-belt", description="Belt", brand="GATES", part_number="SPA-1250"))
        run(desk, False)
        assert desk.view.count(ITEMS) == 1
        changed = HEAD + ROWS.replace("Bearing", "Ball bearing").replace("Seal", "Shaft seal").replace("V-belt", "Belt")
        imported(desk, [sheet("items", changed)], ready("hanse"), Options(publish=True))
        items = {row.item for row in desk.view.rows(ITEMS)}
        assert (len(items), items > {"n-belt", "gtin:06291041500213"}) == (3, True)
        assert links(desk)["A1"][1] == "gtin"
        assert links(desk)["A3"][1] == "brand_part"
        assert links(desk)["A4"] == ("", "")
