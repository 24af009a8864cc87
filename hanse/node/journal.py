"""What a node tells its operator: events with values, through Python's logging; never a key, salt or private figure."""

from __future__ import annotations

import logging
from typing import Any

import structlog


def journal(name: str) -> Any:
    """A structlog logger that writes to `logging`'s logger of this name, where the shell decides what is shown."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
