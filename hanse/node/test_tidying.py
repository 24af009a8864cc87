"""Write-ahead logs stay short under a steady stream of writes, and wait for nobody."""

import sqlite3
from contextlib import closing

import pytest

from hanse.node import tidying
from hanse.node.tidying import LogKeeper, log_pages, tidy


@pytest.fixture
def store(tmp_path):
    path = str(tmp_path / "state.db")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as conn:
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0"):
            conn.execute(f"PRAGMA {setting}")
        conn.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY, text TEXT)")
        yield path, conn


def write(conn, rows, start=0):
    conn.execute("BEGIN IMMEDIATE")
    conn.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", [(start + n, "x" * 900) for n in range(rows)])
    conn.execute("COMMIT")


def test_the_index_tells_how_long_a_log_is_and_what_is_copied(store):
    path, conn = store
    write(conn, 1_000)
    length, waiting = log_pages(path)
    assert length == waiting > tidying.COPY_PAGES
    tidy(path)
    assert log_pages(path) == (length, 0)
    assert log_pages(path + "-of-nobody") == (0, 0)


def test_a_log_under_steady_writes_is_begun_anew(store, monkeypatch):
    path, conn = store
    monkeypatch.setattr(tidying, "LONG_PAGES", 300)
    monkeypatch.setattr(tidying, "PAUSE_SECONDS", 0)
    keeper, lengths = LogKeeper(conn), []
    for n in range(40):
        write(conn, 100, n * 100)
        tidy(path)
        keeper.keep_short()
        lengths.append(log_pages(path)[0])
    assert max(lengths) < 1_000
    assert conn.execute("SELECT COUNT(*) FROM kept").fetchone()[0] == 4_000


def test_a_reader_in_the_way_is_not_waited_for(store, monkeypatch):
    path, conn = store
    monkeypatch.setattr(tidying, "LONG_PAGES", 10)
    monkeypatch.setattr(tidying, "TOO_LONG_PAGES", 20)
    write(conn, 100)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM kept").fetchone()[0] == 100
        write(conn, 100, 100)
        LogKeeper(conn).keep_short()
        assert reader.execute("SELECT COUNT(*) FROM kept").fetchone()[0] == 100
    write(conn, 100, 200)
    assert conn.execute("PRAGMA busy_timeout").fetchone()[0] == 5_000
    assert conn.execute("SELECT COUNT(*) FROM kept").fetchone()[0] == 300
