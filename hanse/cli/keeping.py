"""`hanse rebuild`, `backup`, `restore`: the data directory, kept whole."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from hanse.cli.shell import HERE, Answer, Data, progress
from hanse.node import backup as keeping
from hanse.node.node import Node


def mount(app: App) -> None:
    """Add this file's commands."""
    for command in (rebuild, backup, restore):
        app.command(command)


def rebuild(*, data: Data = HERE) -> Answer:
    """Build the state anew from the record and the disclosures. The node must be stopped."""
    with (
        progress() as step,
        Node(data, rebuild=True, helper=False, progress=lambda done, all: step("rebuild", done, all)) as node,
    ):
        done = node.rebuilt
    return Answer({"entries": done}, f"the state was built anew from {done:,} entries")


def backup(target: Path, *, data: Data = HERE) -> Answer:
    """Copy all that cannot be built again to a new directory, while the node runs.

    Parameters
    ----------
    target
        A directory that does not exist yet. It will hold private keys and figures: keep it as you keep those.
    """
    with progress() as step:
        made = keeping.backup(data, target, step)
    return Answer(made, f"{made.entries:,} entries and {made.files:,} files are in {made.target}")


def restore(source: Path, *, data: Data = HERE) -> Answer:
    """Make a data directory from a backup, and build its state.

    Parameters
    ----------
    source
        What `hanse backup` made.
    """
    with progress() as step:
        made = keeping.restore(source, data, step)
    return Answer(made, f"{made.entries:,} entries and {made.files:,} files are in {made.target}; now verify it")
