"""A flipped bit anywhere that says something is found, and named with its file.

What says nothing: free pages and slack of the databases. A flip there is not found, and then every row reads as before.
"""

import random
import shutil
import sqlite3

import pytest

from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import DescribeParty

SAMPLES = 120


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = town(tmp_path_factory.mktemp("damage") / "node")
    with Node(directory, helper=False) as node:
        for number in range(8):
            node.act("anna", site(node, "anna", f"Site {number}", number))
        node.act("bert", DescribeParty(name="Bert", city="Kiel", country="DE"))
        node.disclosures.erase(node.log.size - 3, {"address"})
    assert not list(directory.glob("*-wal")), "a clean end leaves whole files"
    assert verify(directory).ok
    return directory


def flips(path, count, seed):
    """(offset, bit) spread over a file."""
    chosen = random.Random(seed)
    size = path.stat().st_size
    return [(at * size // count + chosen.randrange(max(1, size // count)), chosen.randrange(8)) for at in range(count)]


def flip(path, offset, bit):
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([old ^ 1 << bit]))


def findings_after(directory, path, offset, bit):
    flip(path, offset, bit)
    try:
        return verify(directory).findings
    finally:
        flip(path, offset, bit)


def published(directory):
    """Every published file, and the segment's index."""
    files = [p for p in (directory / "record" / "public").rglob("*") if p.is_file()]
    return sorted([*files, directory / "record" / "segment.index"])


def test_each_byte_of_the_segment_is_watched(directory):
    path = directory / "record" / "segment"
    for offset, bit in flips(path, SAMPLES, "segment"):
        findings = findings_after(directory, path, offset, bit)
        assert any(f.where == "record/segment" for f in findings), (offset, bit, findings)


def test_damage_in_the_segment_is_named_with_its_entry(directory):
    path = directory / "record" / "segment"
    data = path.read_bytes()
    with Node(directory, helper=False) as node:
        leaf, position = node.log.entry(20), 20
    findings = findings_after(directory, path, data.index(leaf) + len(leaf) // 2, 3)
    assert next(f.position for f in findings if f.where == "record/segment") == position


def test_a_node_without_its_segment_is_found_and_a_copy_without_one_is_none(directory, tmp_path):
    gone = shutil.copytree(directory, tmp_path / "gone")
    (gone / "record" / "segment").unlink()
    assert [f.where for f in verify(gone).findings] == ["record/segment"]
    (gone / "node.key").unlink()
    assert verify(gone).ok, "to verify, not to run"
    (gone / "record" / "public" / "key").write_bytes(b"no key\n")
    assert "record/public/key" in [f.where for f in verify(gone).findings]


def test_each_file_of_what_is_published_is_watched(directory):
    """Each byte of each of them: hanse/record/test_verify.py."""
    for path in published(directory):
        for offset, bit in flips(path, min(8, path.stat().st_size), path.name):
            findings = findings_after(directory, path, offset, bit)
            named = {f.where for f in findings}
            assert f"record/{path.relative_to(directory / 'record')}" in named, (path, offset, bit, findings)


def rows_of(path):
    """Every row of every table and its indexes' definitions; None where it does not read."""
    conn = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        if conn.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return None
        tables = conn.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
        return [(name, conn.execute(f"SELECT * FROM {name}").fetchall()) for name, _ in tables]
    except sqlite3.Error:
        return None
    finally:
        conn.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["state.db", "disclosures.db"])
def test_a_flipped_bit_in_a_database_is_found_or_says_nothing(name, directory):
    path = directory / name
    before, found = rows_of(path), 0
    for offset, bit in flips(path, SAMPLES, name):
        findings = findings_after(directory, path, offset, bit)
        if findings:
            assert findings[0].where.startswith(name) or name == "disclosures.db", (offset, findings)
            assert any(f.where.startswith(name) for f in findings), (offset, bit, findings)
            found += 1
            continue
        flip(path, offset, bit)
        try:
            assert rows_of(path) == before, (offset, bit)
        finally:
            flip(path, offset, bit)
    assert found > 3


def changed(directory, tmp_path, name, sql):
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    conn = sqlite3.connect(copy / name)
    conn.executescript(sql)
    conn.close()
    return verify(copy)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE parties_party SET city = 'Rom' WHERE party = 'anna'", "state.db: parties_party"),
        ("DELETE FROM parties_site WHERE site = 'site-3'", "state.db: parties_site"),
        ("INSERT INTO parties_invitation VALUES (5, 'x', 'anna', 1, '')", "state.db: parties_invitation"),
        ("UPDATE kernel_meta SET time = time + 1", "state.db: kernel_meta"),
        ("UPDATE kernel_meta SET size = size - 1", "state.db"),
        ("DROP TABLE parties_key", "state.db"),
        ("DELETE FROM kernel_meta", "state.db"),
    ],
)
def test_a_row_that_the_record_does_not_give_is_named(sql, what, directory, tmp_path):
    found = changed(directory, tmp_path, "state.db", sql)
    assert what in {f.where for f in found.findings} and found.state == "wrong"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE disclosed SET position = position + 1 WHERE position = (SELECT max(position) FROM disclosed)", ""),
        (
            "UPDATE disclosed SET position = 100000 WHERE position = (SELECT max(position) FROM disclosed)",
            "does not have",
        ),
        (
            "UPDATE disclosed SET circle = 'h-other' WHERE position = (SELECT max(position) FROM disclosed)",
            "filed under",
        ),
        (
            "UPDATE disclosed SET text = CAST(text || '~' || text AS BLOB) WHERE position > 40",
            "",
        ),
    ],
)
def test_disclosures_that_do_not_belong_are_named(sql, words, directory, tmp_path):
    found = changed(directory, tmp_path, "disclosures.db", sql)
    assert any(f.where == "disclosures.db" and words in f.what for f in found.findings), found.findings


def test_a_row_of_disclosures_whose_text_is_gone_does_not_read_and_is_named(directory, tmp_path):
    """As damage to a row's header leaves it; no statement could."""
    sql = """PRAGMA writable_schema = 1;
        UPDATE sqlite_schema SET sql = replace(replace(sql, 'NOT NULL)', ')'), 'BLOB NOT NULL', 'BLOB');
        PRAGMA writable_schema = RESET;
        UPDATE disclosed SET text = NULL WHERE position = (SELECT max(position) FROM disclosed)"""
    found = changed(directory, tmp_path, "disclosures.db", sql)
    assert any(f.where == "disclosures.db" and "does not read" in f.what for f in found.findings), found.findings


def test_a_disclosure_that_was_taken_away_shows_as_not_disclosed_and_in_the_state(directory, tmp_path):
    last = "(SELECT max(position) FROM disclosed)"
    found = changed(directory, tmp_path, "disclosures.db", f"DELETE FROM disclosed WHERE position = {last}")
    assert found.figures.not_disclosed > 1 and not found.ok
    before = verify(directory).figures
    assert found.figures.proven + found.figures.not_disclosed == before.proven + before.erased


def test_a_figure_that_was_altered_is_wrong_and_an_erased_one_is_erased(directory, tmp_path):
    assert verify(directory).figures.erased == 1
    first = "(SELECT min(position) FROM disclosed)"
    sql = f"UPDATE disclosed SET text = CAST('X' || substr(text, 2) AS BLOB) WHERE position = {first}"
    found = changed(directory, tmp_path, "disclosures.db", sql)
    assert found.figures.wrong == 1 and found.findings[0].where == "disclosures.db"
    assert found.findings[0].position is not None


def test_attachments_are_held_to_their_names(directory, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    (copy / "files" / ("0" * 64)).write_bytes(b"something else")
    assert [f.where for f in verify(copy).findings] == ["files/" + "0" * 64]
