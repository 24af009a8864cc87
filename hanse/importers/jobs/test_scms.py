"""The SCMS history replayed: figures against plain arithmetic, and a copy without keys that proves the same."""

from __future__ import annotations

import csv
import gzip
import shutil
from pathlib import Path

import pytest

from hanse.importers.jobs import scms
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.node.node import NODE_KEY
from hanse.node.read_path import STATE
from hanse.node.recomputing import PROVEN
from hanse.node.verify import verify
from hanse.rooms.contracts.private_rows import AWARDS

DATA = Path(__file__).parents[3].parent / "shared/data/scms" / scms.FILE
LINES = 900


def owed_minor(line: scms.Line) -> int:
    """0.5% a whole week of delay, at most 5%, half to even and rounded down: the assumed terms by hand."""
    n = line.value_minor * 5_000 * (line.late_days // 7)
    whole, rest = divmod(n, 1_000_000)
    whole += 2 * rest > 1_000_000 or (2 * rest == 1_000_000 and whole % 2)
    return min(whole, line.value_minor * 5 // 100)


@pytest.fixture(scope="module")
def lines() -> list[scms.Line]:
    if not DATA.is_file():
        pytest.skip(f"{scms.FILE} is not beside this repository")
    return scms.read(DATA)


@pytest.fixture(scope="module")
def part(lines: list[scms.Line], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every late line of vendors and some others, as the file has them."""
    path = tmp_path_factory.mktemp("scms") / "part.csv"
    late = {line.line for line in lines if line.late_days and not line.own}
    with gzip.open(DATA, "rt", encoding="utf-8") as file, path.open("w", encoding="utf-8") as out:
        table = csv.DictReader(file)
        assert table.fieldnames is not None
        writer = csv.DictWriter(out, table.fieldnames)
        writer.writeheader()
        for number, row in enumerate(table):
            if row["ID"] in late or number < LINES:
                writer.writerow(row)
    return path


def test_the_file_reads_whole_and_apart_from_the_own_centre(lines: list[scms.Line]) -> None:
    own = [line for line in lines if line.own]
    assert (len(lines), len(own), len({line.vendor for line in lines if not line.own})) == (10_324, 5_404, 72)
    assert sum(1 for line in lines if line.late_days and not line.own) == 259


def test_every_amount_follows_from_the_assumed_terms_and_opens_its_entry(
    part: Path, lines: list[scms.Line], tmp_path: Path
) -> None:
    found = scms.replay(tmp_path / "node", part)
    by_line = {line.line: line for line in lines}
    expected = {line.line: owed for line in lines if not line.own and (owed := owed_minor(line))}
    assert {one.line: one.owed_minor for one in found.late} == expected
    assert found.owed_minor == sum(expected.values()) == 77_632_415
    assert found.own_centre.owed_minor == 0 and found.assumed
    assert all(one.entries and by_line[one.line].vendor == one.vendor for one in found.late)

    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "node", copy)
    for name in (NODE_KEY, "keys.db", "wallet.db"):
        (copy / name).unlink(missing_ok=True)
    checked = verify(copy, figures=True)
    assert checked.ok and {figure.outcome for figure in checked.recomputed} == {PROVEN}
    by_agreement: dict[str, int] = {}
    for figure in checked.recomputed:
        by_agreement[figure.group] = by_agreement.get(figure.group, 0) + figure.amount_minor
    for vendor in found.vendors:
        assert by_agreement.get(vendor.agreement, 0) == vendor.owed_minor, vendor.vendor
    conn = connect(str(copy / STATE), read_only=True)
    view = View(conn, circles=[found.circle])
    assert {row.state for row in view.rows(AWARDS)} == {"unproven"}
    conn.close()


def test_what_is_no_such_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"scms\.no_file"):
        scms.read(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Refused, match=r"scms\.other_columns"):
        scms.read(tmp_path / "other.csv")
