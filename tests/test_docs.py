"""Docs run: every `sh` block of README and docs is executed, in order, in a directory of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
ELSEWHERE = {"importing.md"}  # with its files, in hanse/importers/test_docs_importing.py
WITH_COMMANDS = [page for page in PAGES if BLOCK.search(page.read_text()) and page.name not in ELSEWHERE]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_of_the_docs_works(page: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in BLOCK.findall(page.read_text()):
        for line in filter(None, (line.partition(" #")[0].strip() for line in block.splitlines())):
            env = {**os.environ, "PATH": path, "SHARED": str(ROOT.parent / "shared")}
            done = subprocess.run(line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_links_between_pages_lead_somewhere() -> None:
    missing = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []


def test_files_that_pages_name_exist() -> None:
    named = [
        (page.name, path)
        for page in PAGES
        for path in re.findall(r"`((?:hanse|tests|bench|docs)/[\w./-]+)`", page.read_text())
    ]
    assert len(named) > 30
    assert [f"{page}: {path}" for page, path in named if not (ROOT / path).exists()] == []


def test_the_architecture_page_lists_every_room() -> None:
    from hanse.rooms import ROOMS

    page = (ROOT / "docs" / "architecture.md").read_text()
    listed = re.findall(r"^\| `([a-z]+)` \|", page.partition("## Rooms")[2].partition("\n## ")[0], re.M)
    assert tuple(listed) == tuple(ROOMS)


def test_every_refusal_has_one_code_form_and_a_sentence() -> None:
    from hanse.site.refusal_codes import codes

    listed = codes()
    assert len(listed) > 300
    assert [c.code for c in listed if not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", c.code)] == []
    assert [c.code for c in listed if not c.message] == []
