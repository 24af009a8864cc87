"""Files that the record names and a directory does not have are counted, and nothing more is said of them."""

import hashlib
import json
import shutil

import pytest

from hanse.cli import main
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.node.testing import town
from hanse.node.verify import verify
from hanse.rooms.orders.delivery_facts import SendMessage


def send(node, desk, circle, name, data):
    """A message with a file, of whose bytes the directory keeps a copy."""
    kept = desk.keep_file(data)
    desk.do(SendMessage(
        circle=circle, message=name, item="", text="", file_name=f"{name}.pdf", file_hash=kept, file_bytes=len(data)
    ))  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Two files in the relationship of anna and bert, one of them in anna's home too; and one that no fact names."""
    made = town(tmp_path_factory.mktemp("files") / "node")
    with Node(made, helper=False) as node:
        anna = Desk(node, Who("anna"))
        circle = joining.relationship_of(node, "anna", "bert")
        send(node, anna, circle, "drawing", b"a drawing")
        send(node, anna, circle, "letter", b"a letter")
        send(node, anna, node.view("anna").home, "note", b"a drawing")
        anna.keep_file(b"uploaded and never sent")
    return made


def without(directory, target, *datas):
    shutil.copytree(directory, target)
    for data in datas:
        (target / "files" / hashlib.sha256(data).hexdigest()).unlink()
    return target


def test_a_whole_directory_misses_no_file(directory):
    found = verify(directory)
    assert found.ok and (found.files, found.files_missing) == (3, 0)


def test_files_left_out_of_a_copy_are_counted_once_each_and_are_no_finding(directory, tmp_path, capsys):
    copy = without(directory, tmp_path / "copy", b"a drawing", b"uploaded and never sent")
    found = verify(copy)
    assert found.ok and found.state == "equal"
    assert (found.files, found.files_missing) == (1, 1), "named twice, counted once; what no fact names is not missed"
    assert main(["verify", "--data", str(copy)]) == 0
    told = capsys.readouterr().out
    assert "1 file that the record names is not here" in told and "nothing is wrong" in told
    shutil.rmtree(copy / "files")
    assert main(["verify", "--data", str(copy)]) == 0
    told = capsys.readouterr().out
    assert "2 files that the record names are not here" in told
    assert main(["verify", "--data", str(copy), "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said)["files_missing"] == 2
    with Node(directory, helper=False) as node:
        circles = (joining.relationship_of(node, "anna", "bert"), node.view("anna").home)
    for secret in (*circles, hashlib.sha256(b"a drawing").hexdigest(), "drawing"):
        assert secret not in told and secret not in said, "neither which file nor whose"


def test_what_is_not_disclosed_here_names_no_file(directory, tmp_path):
    copy = without(directory, tmp_path / "copy")
    shutil.rmtree(copy / "files")
    (copy / "disclosures.db").unlink()
    (copy / "state.db").unlink()
    found = verify(copy)
    assert found.ok and found.files_missing == 0 and found.figures.not_disclosed > 0
