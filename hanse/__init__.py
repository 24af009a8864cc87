"""Hanse: decentralised distribution."""

from hanse import compiled

__version__ = "0.1.0"

compiled.use()
