"""The compiled form is used where it fits its sources, and only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hanse import compiled
from hanse.compiled import build

needs_it = pytest.mark.skipif(
    not compiled.in_use() and os.environ.get("CI") != "true", reason=f"rules run interpreted: {compiled.why_not()}"
)


def run(code: str, **env: str) -> str:
    """What another process prints."""
    environ = compiled.elsewhere("1") | env
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest of one source and one file, in place of what is compiled here."""
    monkeypatch.delenv(compiled.INTERPRETED, raising=False)
    monkeypatch.setattr(compiled, "place", lambda: tmp_path)
    source = "hanse/kernel/chains.py"
    about = {"files": {"hanse.kernel.chains": "chains.so"}, "sources": {source: compiled.sha256_of(source)}}
    (tmp_path / compiled.MANIFEST).write_text(json.dumps(about))
    (tmp_path / "chains.so").write_bytes(b"")
    return tmp_path


@needs_it
def test_rules_run_compiled_here() -> None:
    which = "import hanse.kernel.draft as d, hanse.rooms.orders.rules as r; print(d.__file__, r.__file__)"
    assert run(which).count(str(compiled.place())) == 2
    assert str(compiled.place()) not in run(which, **{compiled.INTERPRETED: "1"})


def test_what_fits_its_sources_is_used(made: Path) -> None:
    assert compiled.why_not() == ""


def test_a_changed_source_is_run_as_it_stands(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "sha256_of", lambda source: "another")
    assert "chains.py has changed" in compiled.why_not()


def test_half_a_compiled_form_is_not_used(made: Path) -> None:
    (made / "chains.so").unlink()
    assert "missing" in compiled.why_not()
    (made / compiled.MANIFEST).write_text('{"files": ')
    assert "not compiled" in compiled.why_not()
    (made / compiled.MANIFEST).unlink()
    assert "not compiled" in compiled.why_not()


def test_it_can_be_left_aside(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.INTERPRETED, "1")
    assert compiled.why_not() == f"{compiled.INTERPRETED} is set"


def test_without_a_compiler_everything_runs_interpreted(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (made / compiled.MANIFEST).unlink()
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build.main() == 0
    assert "rules: interpreted" in capsys.readouterr().out


def test_where_nothing_can_be_written_everything_runs_interpreted(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (made / compiled.MANIFEST).rename(made / "no folder")
    monkeypatch.setattr(build, "place", lambda: made / "no folder" / "lib")
    assert build.main() == 0
    assert "rules: interpreted" in capsys.readouterr().out


def test_a_failed_compilation_leaves_what_was_there(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (made / compiled.MANIFEST).read_text()
    monkeypatch.setattr(build, "place", lambda: made)
    monkeypatch.setattr(build, "_SETUP", "import sys; sys.exit('mypyc says no')")
    with pytest.raises(build.CannotCompile, match="mypyc says no"):
        build.build()
    assert (made / compiled.MANIFEST).read_text() == before
    assert not [path for path in made.parent.iterdir() if path.name.startswith(".making-")]


def test_every_compiled_module_and_what_it_imports_is_watched() -> None:
    sources = build.depends_on(build.MODULES)
    assert {build.source_of(module) for module in build.MODULES} <= set(sources)
    assert {"hanse/kernel/facts.py", "hanse/rooms/orders/rows.py", "hanse/kernel/tables.py"} <= set(sources)


@needs_it
def test_the_examples_of_compiled_sources_hold() -> None:
    """A compiled function has no docstring, so they are run interpreted."""
    command = [sys.executable, "-m", "pytest", "-q", "--doctest-modules", "-p", "no:cacheprovider"]
    sources = [str(compiled.SOURCES / build.source_of(module)) for module in build.MODULES]
    env = os.environ | {compiled.INTERPRETED: "1"}
    done = subprocess.run([*command, *sources], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "[100%]" in done.stdout, done.stdout
