import sqlite3
import threading

import pytest

from hanse.kernel.refusal import Refused
from hanse.node.backup import backup, restore
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import SITES
from hanse.web.accounts import AccountStore


@pytest.fixture
def directory(tmp_path):
    return town(tmp_path / "node")


def rows(directory, size):
    """Every row of every table, as a rebuilt state has it at a size."""
    conn = sqlite3.connect(directory / "state.db")
    try:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        assert conn.execute("SELECT size FROM kernel_meta").fetchone() == (size,)
        return {name: sorted(conn.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}
    finally:
        conn.close()


def test_a_backup_restores_to_an_equal_node(directory, tmp_path):
    accounts = AccountStore(directory / "accounts.db")
    accounts.add_user("anna@example.org", "Anna")
    with Node(directory, helper=False) as node:
        node.act("anna", site(node, "anna", "Main"))
        kept = Desk(node, Who("anna")).keep_file(b"a drawing")
        size = node.log.size
        node.publish()
        made = backup(directory, tmp_path / "backup")
        assert (made.entries, made.checkpoint, made.files) == (size, size, 1)
    accounts.close()
    found = verify(tmp_path / "backup")
    assert found.ok and found.state == "absent" and found.files == 1 and found.figures.not_disclosed == 0
    assert restore(tmp_path / "backup", tmp_path / "new").entries == size
    assert verify(tmp_path / "new").state == "equal"
    assert rows(tmp_path / "new", size) == rows(directory, size)
    accounts = AccountStore(tmp_path / "new" / "accounts.db")
    assert accounts.user_by_email("anna@example.org").name == "Anna"
    accounts.close()
    with Node(tmp_path / "new", helper=False) as node:
        assert (node.files / kept).read_bytes() == b"a drawing"
        node.act("anna", site(node, "anna", "Second", 1))
        assert len(node.view("anna").rows(SITES)) == 2
    assert verify(tmp_path / "new").ok
    for name in ("keys.db", "accounts.db", "disclosures.db", "node.key"):
        assert (tmp_path / "backup" / name).stat().st_mode & 0o077 == 0


def test_backups_taken_under_load_are_each_whole(directory, tmp_path):
    stop = threading.Event()

    def load(node):
        number = 0
        while not stop.is_set():
            number += 1
            node.act("anna", site(node, "anna", f"Site {number}", number), check=False)

    with Node(directory, helper=False) as node:
        thread = threading.Thread(target=load, args=(node,))
        thread.start()
        try:
            sizes = [backup(directory, tmp_path / f"backup-{n}").entries for n in range(5)]
            live = verify(directory)
        finally:
            stop.set()
            thread.join()
    assert live.ok and live.live
    assert sizes == sorted(sizes) and sizes[-1] > sizes[0]
    for n, size in enumerate(sizes):
        found = verify(tmp_path / f"backup-{n}")
        assert found.ok, found.findings
        assert found.entries == size and found.figures.not_disclosed == 0
    restore(tmp_path / "backup-4", tmp_path / "new")
    assert verify(tmp_path / "new").state == "equal"


def test_nothing_is_overwritten_and_no_half_backup_stays(directory, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter").write_text("dear")
    for call in (backup, restore):
        with pytest.raises(Refused, match=r"backup\.target_taken"):
            call(directory, tmp_path / "taken")
    with pytest.raises(Refused, match=r"node\.not_a_node"):
        backup(tmp_path / "taken", tmp_path / "new")
    segment = directory / "record" / "segment"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    with pytest.raises(Refused, match=r"node\.damaged"):
        backup(directory, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node", "taken"]
