"""Compiled or interpreted, rules come to the same outcomes and state, also where signers leave private fields out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hanse import compiled

HERE = Path(__file__).parent
HISTORIES, STEPS = int(os.environ.get("HANSE_HISTORIES", "24")) // 12, 250


@pytest.mark.skipif(
    not compiled.in_use() and os.environ.get("CI") != "true", reason=f"rules run interpreted: {compiled.why_not()}"
)
def test_every_fact_of_a_history_ends_the_same_with_any_private_field_left_out() -> None:
    """Outcome by outcome, with the hash of the public state and of every circle's rows after each."""
    for seed in range(100, 100 + HISTORIES):
        command = [sys.executable, str(HERE / "leaving_out.py"), str(seed), str(STEPS)]
        running = [
            subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
            for env in (compiled.elsewhere("1"), compiled.elsewhere("0"))
        ]
        one, other = (process.communicate()[0].splitlines() for process in running)
        assert [process.returncode for process in running] == [0, 0]
        assert len(one) > 1_000 and sum("field_left_out" in line for line in one) > 100
        assert next(((a, b) for a, b in zip(one, other, strict=True) if a != b), None) is None
