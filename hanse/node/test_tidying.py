"""Write-ahead logs stay short under a steady stream of writes, and wait for nobody."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from hanse.node import tidying
from hanse.node.tidying import LogKeeper, let_go, log_pages, tidy


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


def test_to_look_at_a_log_gives_up_no_lock_on_it(store):
    path, conn = store
    conn.execute("BEGIN IMMEDIATE")
    log_pages(path)
    other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    done = subprocess.run([sys.executable, "-c", other, path], capture_output=True, text=True, check=False)
    assert "database is locked" in done.stderr
    conn.execute("ROLLBACK")


def test_indexes_of_logs_that_are_gone_are_let_go(tmp_path):
    for n in range(5):
        with closing(sqlite3.connect(tmp_path / f"{n}.db", isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode=WAL")
            write_to(conn)
            assert log_pages(str(tmp_path / f"{n}.db"))[0] > 0
    let_go()
    assert all(os.fstat(fd).st_nlink for fd in tidying._indexes.values())


def write_to(conn):
    conn.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY)")


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
