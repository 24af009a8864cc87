"""Which modules are not searched for examples to run."""

from pathlib import Path

from hanse import compiled

collect_ignore = [str(Path(source).relative_to("hanse")) for source in compiled.sources_in_use()]
"""A compiled function has no docstring: the examples of its source are run by hanse/compiled/test_compiled.py."""
