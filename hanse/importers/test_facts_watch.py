"""A watched folder takes what is whole, and hands back what is wrong."""

import os
import threading
from pathlib import Path

import pytest

from hanse.importers import library
from hanse.importers.facts_choose import mappings_of, sheets_of
from hanse.importers.facts_testing import bring, firm, stock
from hanse.importers.facts_watch import Handled, Watching, watch
from hanse.importers.mapping import FieldMap, MappingFile, Section, fingerprint
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk

GOOD = "item,site,quantity_each\nB1,HH,5\n"
BAD = "item,site,quantity_each\nB1,HH,5\nB2,HH,many\n"


def looked(desk: Desk, folder: Path, looks: int = 2, mapping: str = "") -> list[Handled]:
    """What is handled in so many looks."""
    left = [looks]

    def stop() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return list(watch(desk, folder, mapping, stop=stop, wait=lambda seconds: None))


def put(path: Path, text: str) -> None:
    """A file that is whole once it is there: who watches beside may look between its making and its writing."""
    made = path.parent.with_name("made") / path.name
    made.parent.mkdir(exist_ok=True)
    made.write_text(text)
    made.rename(path)


def test_a_good_file_is_imported_and_moved(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "stock.csv").write_text(GOOD)
    with firm(tmp_path / "n") as desk:
        (one,) = looked(desk, folder)
        assert (one.refused, one.fixes, Path(one.to).parent.name) == ("", [], "imported")
        assert stock(desk) == {("HH", "B1", ""): 5}
        assert looked(desk, folder) == []


def test_a_file_with_a_wrong_row_is_rejected_with_its_fix_list_beside_and_its_good_rows_stand(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "stock.csv").write_text(BAD)
    with firm(tmp_path / "n") as desk:
        (one,) = looked(desk, folder)
        assert Path(one.to).parent.name == "rejected"
        (fix,) = map(Path, one.fixes)
        assert (fix.parent, stock(desk)) == (folder / "rejected", {("HH", "B1", ""): 5})
        (folder / fix.name).write_text(fix.read_text().replace("many", "7"))
        (again,) = looked(desk, folder)
        assert (again.refused, Path(again.to).parent.name) == ("", "imported")
        assert stock(desk) == {("HH", "B1", ""): 5, ("HH", "B2", ""): 7}


def test_a_file_that_is_no_table_is_rejected_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "stock.csv").write_bytes(b"%PDF-1.7 ...")
    with firm(tmp_path / "n") as desk:
        (one,) = looked(desk, folder)
        assert one.refused == "table.unknown_format"
        assert "table.unknown_format" in Path(one.fixes[0]).read_text()


def test_hostile_names_stay_in_the_folder_and_overwrite_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "imported").mkdir()
    (folder / "imported" / "stock.csv").write_text("kept")
    names = ["stock.csv", "C:\\..\\evil.csv", "\u202egnp.x\n.csv", "a" * 240 + ".csv", "-rf.csv", "$(id).csv"]
    for name in names:
        (folder / name).write_text(GOOD)
    os.symlink("/etc/passwd", folder / "link.csv")
    (folder / ".hidden.csv").write_text(GOOD)
    with firm(tmp_path / "n") as desk:
        handled = looked(desk, folder, mapping="")
        assert len(handled) == len(names)
        for one in handled:
            to = Path(one.to)
            assert to.parent.parent == folder and to.is_file()
            assert not set(to.name) & set("\\\n\u202e")
    assert (folder / "imported" / "stock.csv").read_text() == "kept"
    assert (folder / "link.csv").is_symlink()


def test_a_file_that_still_grows_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "stock.csv"
    path.write_text(GOOD)

    def wait(seconds: float) -> None:
        with path.open("a") as out:
            out.write("B2,HH,1\n")

    left = [3]

    def stop() -> bool:
        left[0] -= 1
        return left[0] <= 0

    with firm(tmp_path / "n") as desk:
        assert list(watch(desk, folder, stop=stop, wait=wait)) == []
        assert path.exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk, pytest.raises(Refused) as refused:
        list(watch(desk, tmp_path / "none"))
    assert refused.value.code == "import.no_folder"


def test_the_same_file_twice_is_moved_twice_and_signed_once(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with firm(tmp_path / "n") as desk:
        bring(desk, stock=GOOD)
        (folder / "stock.csv").write_text(GOOD)
        (one,) = looked(desk, folder)
        assert one.result and one.result.facts == {}


def test_a_folder_is_watched_beside_a_node_that_serves(tmp_path: Path) -> None:
    folder, told, done = tmp_path / "in", list[Handled](), threading.Event()
    folder.mkdir()

    def note(handled: Handled) -> None:
        told.append(handled)
        done.set()

    with firm(tmp_path / "n") as desk:
        faults: list[BaseException] = []
        watching = Watching(desk, folder, note, faults.append, wait_seconds=0.01)
        try:
            put(folder / "stock.csv", GOOD)
            assert done.wait(60)
        finally:
            watching.close()
        assert [Path(one.to).parent.name for one in told] == ["imported"] and faults == []
        assert told[0].said.startswith("stock.csv: ") and "0 fix lists" in told[0].said
        assert stock(desk) == {("HH", "B1", ""): 5}
        with pytest.raises(Refused) as refused:
            Watching(desk, tmp_path / "nowhere")
        assert refused.value.code == "import.no_folder"


def test_a_folder_that_goes_away_is_told_and_watched_again_when_it_is_back(tmp_path: Path) -> None:
    folder, fault, done = tmp_path / "in", threading.Event(), threading.Event()
    folder.mkdir()
    with firm(tmp_path / "n") as desk:
        watching = Watching(desk, folder, lambda one: done.set(), lambda error: fault.set(), wait_seconds=0.01)
        try:
            folder.rmdir()
            assert fault.wait(60)
            folder.mkdir()
            put(folder / "stock.csv", GOOD)
            assert done.wait(60)
        finally:
            watching.close()


def test_a_mapping_that_a_partys_people_saved_reads_its_watched_files(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bestand.csv").write_text("Xa;Xb;Xc\nB1;HH;5\n")
    with firm(tmp_path / "n") as desk:
        (before,) = looked(desk, folder)
        assert before.refused == "mapping.unsure"
        sheets = sheets_of([Path(before.to)])
        own = Section(
            sheets[0].name, "stock", {"item": FieldMap("Xa"), "site": FieldMap("Xb"), "quantity_each": FieldMap("Xc")},
            fingerprint=fingerprint(sheets[0].columns),
        )  # fmt: skip
        library.save(mappings_of(desk.node.directory, desk.who.party), MappingFile("ours", (own,)))
        Path(before.to).rename(folder / "bestand.csv")
        (after,) = looked(desk, folder)
        assert (after.refused, Path(after.to).parent.name) == ("", "imported")
        assert stock(desk) == {("HH", "B1", ""): 5}
