"""Processes that only read: they take every request, answer the pages of state, and pass the rest on to the node.

The interpreter runs one thread at a time. Beside the writer a page waits for its turn at every question to the state;
in a process of its own it does not. See docs/decisions.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import shutil
import socket
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from msgspec import Struct

from hanse.node.collecting import COLLECT_AFTER
from hanse.node.journal import journal
from hanse.node.node import SWITCH_SECONDS

READERS_MAX = 4
THREADS = 2
"""Pages that one reader works on at a time: more would only take turns."""
LOOK_SECONDS = 1.0
BACKLOG = 2_048
_journal = journal("hanse.site")


class Shown(Struct, frozen=True):
    """What a reader's site is, the same as the node's own. directory: the node's."""

    directory: str
    hosts: tuple[str, ...]
    secure: bool
    requests_per_minute: int = 600


def readers_by_cores() -> int:
    """One process less than cores, at most READERS_MAX; none on one core."""
    return max(0, min(READERS_MAX, (os.cpu_count() or 1) - 1))


class Readers:
    """So many reading processes on one address. The node's own application listens on `behind`, which only they reach.

    One that ends is started anew; all end with this process, however it ends.
    """

    def __init__(self, shown: Shown, host: str, port: int, many: int) -> None:
        """Raises: OSError where the address is taken."""
        self._folder = tempfile.mkdtemp(prefix="hanse-")  # mode 0700
        self.behind = f"{self._folder}/node"
        self._shown = shown
        self._socket = _listening(host, port)
        self._closing = threading.Event()
        self._running = [self._start() for _ in range(many)]
        self._watcher = threading.Thread(target=self._watch, name="hanse-readers", daemon=True)
        self._watcher.start()

    def pids(self) -> list[int]:
        """Of the processes that run now."""
        return [process.pid for process in self._running if process.pid]

    def _start(self) -> Any:
        process = multiprocessing.get_context("spawn").Process(
            target=run, args=(self._shown, self.behind, self._socket), name="hanse-reader", daemon=True
        )
        process.start()
        return process

    def _watch(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            for at, process in enumerate(self._running):
                if not process.is_alive():
                    _journal.error("reader.ended", code=process.exitcode)
                    self._running[at] = self._start()

    def close(self) -> None:
        """End them."""
        self._closing.set()
        self._watcher.join()
        self._socket.close()
        for process in self._running:
            process.terminate()
            process.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # answers wait for no acknowledgement
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)  # who comes before the first reader stands waits for it
    except OSError:
        listening.close()
        raise
    return listening


def run(shown: Shown, behind: str, listening: socket.socket) -> None:
    """One reader, until it is told to end or its node is gone."""
    from litestar.concurrency import set_asyncio_executor

    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="hanse-page"))
    sys.setswitchinterval(SWITCH_SECONDS)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(shown, behind, listening))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


async def _serve(shown: Shown, behind: str, listening: socket.socket) -> None:
    from hanse.node.backup import ACCOUNTS
    from hanse.node.reading import ReadNode
    from hanse.site import build_site
    from hanse.web import AccountStore, create_app
    from hanse.web.forward import Forward
    from hanse.web.timely import Timely

    accounts = AccountStore(Path(shown.directory) / ACCOUNTS)
    site = build_site(
        ReadNode(shown.directory),
        accounts,
        hosts=shown.hosts,
        secure=shown.secure,
        requests_per_minute=shown.requests_per_minute,
        forward=Forward(behind),
    )
    app = create_app(site)
    gc.set_threshold(*COLLECT_AFTER)
    gc.freeze()  # what stands now stays: no look for cycles goes over it again
    config = uvicorn.Config(app, http=Timely, log_level="warning", access_log=False, server_header=False)
    await uvicorn.Server(config).serve(sockets=[listening])


def behind_readers(app: Any, path: str) -> uvicorn.Config:
    """How the node's own application listens: on a Unix socket, and it believes what its readers say of who asks."""
    return uvicorn.Config(
        app, uds=path, proxy_headers=True, forwarded_allow_ips="*", log_level="warning", access_log=False,
        server_header=False,
    )  # fmt: skip
