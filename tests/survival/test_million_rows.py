"""A stock list of very many rows, one of them wrong: the row is named, all or nothing means nothing, or the good ones.

HANSE_IMPORT_ROWS=1000000 imports a million rows; the default is 10,000. Memory is bounded whatever the number.
"""

import csv
import io
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from hanse.importers import read, ready
from hanse.importers.facts import Imported, imported
from hanse.importers.facts_plan import Options
from hanse.importers.facts_testing import entries, firm
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.verify import verify
from hanse.rooms.inventory.facts import STOCK

ROWS = int(os.environ.get("HANSE_IMPORT_ROWS", "10000"))
WRONG = ROWS // 2
MEMORY_MB_MAX = 500
"""What an import may take beside the process as it was. A million rows took 334, a hundred thousand 210."""
BUNDLE = ready("hanse")


class Told:
    """What an import tells as it goes on, and the memory of the process at each of those moments."""

    def __init__(self) -> None:
        self.steps: dict[str, list[tuple[int, int]]] = {}
        self.started = time.perf_counter()
        self.before_mb = self.peak_mb = resident_mb()

    def __call__(self, step: str, done: int, of: int) -> None:
        self.steps.setdefault(step, []).append((done, of))
        self.peak_mb = max(self.peak_mb, resident_mb())


def resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def stock_list(path: Path) -> Path:
    """ROWS lots of some items at ten sites; the row in the middle has a quantity that is no number."""
    items = min(1_000, ROWS // 100)
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["item", "site", "lot", "quantity_each"])
        for n in range(ROWS):
            quantity = "seven" if n == WRONG else str(n % 97)
            writer.writerow([f"P{n % items:04}", f"S{n // items % 10}", f"L{n // items // 10:05}", quantity])
    return path


def stocks(desk: Desk) -> int:
    return desk.view.count(STOCK, "circle = ?", (desk.view.home,))


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stock_list(tmp_path_factory.mktemp("given") / "stock.csv")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_an_import_of_very_many_rows_with_one_wrong(given: Path, tmp_path: Path) -> None:
    told = Told()
    with firm(tmp_path / "n") as desk:
        before = entries(desk)
        with pytest.raises(Refused) as refused:
            imported(desk, read(given), BUNDLE, Options(whole=True), told=told)
        assert_names_the_row(refused.value)
        assert (entries(desk), stocks(desk)) == (before, 0), "all or nothing: nothing"

        found = imported(desk, read(given), BUNDLE, told=told)
        assert_only_the_row_is_left(found)
        assert stocks(desk) == ROWS - 1
        assert_progress_was_told(told, found)
        assert told.peak_mb - told.before_mb < MEMORY_MB_MAX

        corrected = found.sections[0].fixes.replace("seven", "7")
        again = imported(desk, read(corrected.encode(), "stock"), BUNDLE, Options(whole=True))
        assert (again.new, again.bad, stocks(desk)) == (1, 0, ROWS)
    seconds = time.perf_counter() - told.started
    print(f"{ROWS:,} rows twice: {seconds:.1f} s; memory {told.before_mb} MB, at most {told.peak_mb} MB")
    print(f"  the good ones: {found.plan_seconds:.1f} s reading and planning, {found.sign_seconds:.1f} s signing")
    report = verify(tmp_path / "n")
    assert report.ok, report.findings


def assert_names_the_row(refused: Refused) -> None:
    assert refused.code == "import.rows_wrong"
    assert f"row {WRONG + 2} of stock, column quantity_each" in str(refused), "as a spreadsheet counts, below the names"
    assert refused.got == "seven"


def assert_only_the_row_is_left(found: Imported) -> None:
    (section,) = found.sections
    assert (section.read, section.good, section.bad) == (ROWS, ROWS - 1, 1)
    names, *rows = csv.reader(io.StringIO(section.fixes))
    assert len(rows) == 1 and rows[0][0] == str(WRONG + 2) and "seven" in rows[0]
    assert len(names) == len(rows[0]) == 6, "the row's own cells, its number and its reason"


def assert_progress_was_told(told: Told, found: Imported) -> None:
    """Reading is told every 20,000 rows, planning every 500 lines, signing against all that there is to sign."""
    assert len(told.steps["reading stock"]) >= 2 * ROWS // 20_000
    assert len(told.steps["stock"]) >= 2 * ROWS // 500
    signing = told.steps["signing"]
    assert signing[-1] == (found.facts_n, found.facts_n)
    assert all(a[0] <= b[0] for a, b in pairwise(signing))
