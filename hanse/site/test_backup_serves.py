"""A backup holds whatever a data directory may hold: the restored node serves what the first one served."""

from __future__ import annotations

import re
from pathlib import Path

from hanse.node.backup import backup, restore
from hanse.node.node import Node
from hanse.rooms.catalog.page_rejected import Rejected
from hanse.rooms.plans.page_studies import STUDIES
from hanse.site import build_site
from hanse.site.testing import SmallTown, Visitor
from hanse.web import create_app

PAGES = ("/import", "/freight", "/settings/webhooks", "/matching", "/orders", "/stock", "/offers")
LEFT_OUT = ("state.db", "lock", "record/lock")
"""What is built again, and what belongs to a process."""


def files_of(folder: Path) -> set[str]:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    kept = {name for name in names if not name.endswith(("-wal", "-shm", "lock")) and name not in LEFT_OUT}
    return {name for name in kept if ".p/" not in name}  # tiles on their way to being full, of which the last is kept


def shown(who: Visitor, path: str) -> str:
    return re.sub(r"[a-p]{32}\.[a-p]{64}", "", who.get(path).text)


def busy(town: SmallTown) -> str:
    """One of everything that a node keeps beside the record; the address of an upload."""
    town.order("kept-1")
    town.offer("kept-o")
    bob, at = town.visitor("bob"), town.desk("bob")
    at.keep_file(b"a drawing")
    rows = b"Was;Wo;Wieviel\nbob-6205;store-bob;12\n"
    sent = bob.client.post(
        f"/import?_csrf={bob.token()}", files={"file": ("odd.csv", rows, "text/csv")}, follow_redirects=False
    )
    job: str = sent.headers["location"]
    form = {"t.0": "stock", "f.0.item": "Was", "f.0.site": "Wo", "f.0.quantity_each": "Wieviel", "save_as": "Odd one"}
    bob.post(f"{job}/mapping", {"t.0": "stock"})
    assert bob.post(f"{job}/mapping", form).status_code == 303
    assert bob.post("/freight", {"table": "up_to_km,fixed\n500,7.00", "currency": "EUR"}).status_code == 303
    assert "whsec_" in bob.post("/settings/webhooks", {"url": "https://hooks.example.com/", "kind": "*"}).text
    Rejected(town.node.directory, "bob").add("bob-6205", "item-6205")
    raw = town.accounts.tokens.create(town.users["bob", "owner"], "bob", "t", ("read", "write"), 1)[1]
    header = {"Authorization": f"Bearer {raw}", "Idempotency-Key": "call-1"}
    body = {"circle": town.ab, "message": "kept-m", "order": "kept-1", "text": "hello"}
    assert bob.client.post("/api/v1/facts/orders.message", json=body, headers=header).status_code == 201
    study = town.node.directory / STUDIES / "bob"
    study.mkdir(parents=True)
    (study / "one.json").write_bytes(b"{}")
    return job


def test_a_restored_node_serves_what_the_first_one_served(tmp_path: Path) -> None:
    town = SmallTown(tmp_path / "town")
    job = busy(town)
    town.node.publish()
    bob = town.visitor("bob")
    pages = (*PAGES, job)
    before = {path: shown(bob, path) for path in pages}
    held = files_of(town.node.directory)
    assert {"accounts.db"} & held == set() and {
        "keys.db",
        "imports.db",
        "calls.db",
        "rejected.db",
        "webhooks.db",
    } <= held
    folders = {"uploads", "mappings", "freight", "files", STUDIES}
    assert folders <= {name.partition("/")[0] for name in held}
    backup(town.node.directory, tmp_path / "backup")
    assert files_of(tmp_path / "backup") >= held
    for path in (tmp_path / "backup").rglob("*.db"):
        assert path.stat().st_mode & 0o077 == 0, path
    restore(tmp_path / "backup", tmp_path / "new")
    town.node.close()
    with Node(tmp_path / "new", helper=False) as node:
        town.node = node
        town.app = create_app(build_site(node, town.accounts, requests_per_minute=100_000))
        again = town.visitor("bob")
        assert {path: shown(again, path) for path in pages} == before
    town.accounts.close()


def test_a_backup_below_the_directory_does_not_hold_itself(tmp_path: Path) -> None:
    town = SmallTown(tmp_path / "town")
    town.close()
    target = town.node.directory / "backups" / "monday"
    backup(town.node.directory, target)
    assert (target / "record").is_dir() and not (target / "backups").exists()
