"""Peer of bench.commit: the same orders written by SQLAlchemy on PostgreSQL, one durable transaction a request.

The same life of an order (place with three reservations, confirm, ship, receive, a count) and the same checks; no
signatures, no record, no privacy, no offline proof. `BENCH_POSTGRES` names a database (`postgresql+psycopg://...`);
where it is not set and PostgreSQL's server programs are installed, a cluster is started in a scratch directory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, create_engine, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

OFFERS = 1920
"""As many as the network of bench.commit has."""


class Base(DeclarativeBase):
    pass


class Offer(Base):
    __tablename__ = "offer"
    id: Mapped[int] = mapped_column(primary_key=True)
    each: Mapped[int] = mapped_column(BigInteger)
    reserved_each: Mapped[int] = mapped_column(BigInteger, default=0)
    taken_each: Mapped[int] = mapped_column(BigInteger, default=0)


class Stock(Base):
    __tablename__ = "stock"
    id: Mapped[int] = mapped_column(primary_key=True)
    on_hand_each: Mapped[int] = mapped_column(BigInteger)
    allocated_each: Mapped[int] = mapped_column(BigInteger, default=0)


class Order(Base):
    __tablename__ = "customer_order"
    id: Mapped[int] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(String(20), index=True)
    seller: Mapped[str] = mapped_column(String(20), index=True)
    po_number: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    lines: Mapped[list[Line]] = relationship(back_populates="order", order_by="Line.line", lazy="selectin")


class Line(Base):
    __tablename__ = "line"
    order_id: Mapped[int] = mapped_column(ForeignKey("customer_order.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    each: Mapped[int] = mapped_column(BigInteger)
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    shipped_each: Mapped[int] = mapped_column(BigInteger, default=0)
    received_each: Mapped[int] = mapped_column(BigInteger, default=0)
    order: Mapped[Order] = relationship(back_populates="lines")


def place(engine: Engine, n: int) -> None:
    with Session(engine) as session, session.begin():
        ids = sorted((n * 7 + k * 13) % OFFERS for k in range(3))
        offers = session.scalars(select(Offer).where(Offer.id.in_(ids)).order_by(Offer.id).with_for_update()).all()
        for offer in offers:
            assert offer.each - offer.reserved_each - offer.taken_each >= 2, "not enough"
            offer.reserved_each += 2
        order = Order(id=n, buyer=f"b{n % 8}", seller=f"s{n // 8 % 4}", po_number=f"PO-{n}", state="placed")
        order.lines = [
            Line(line=k, offer_id=offer.id, each=2, unit_price_minor=900) for k, offer in enumerate(offers, 1)
        ]
        session.add(order)


def confirm(engine: Engine, n: int) -> None:
    with Session(engine) as session, session.begin():
        order = session.get_one(Order, n, with_for_update=True)
        assert order.state == "placed"
        order.state = "confirmed"
        for stock in _stock(session, order):
            stock.allocated_each += 2


def ship(engine: Engine, n: int) -> None:
    with Session(engine) as session, session.begin():
        order = session.get_one(Order, n, with_for_update=True)
        assert order.state == "confirmed"
        order.state = "shipped"
        ids = [line.offer_id for line in order.lines]
        for offer in session.scalars(select(Offer).where(Offer.id.in_(ids)).order_by(Offer.id).with_for_update()):
            offer.reserved_each -= 2
            offer.taken_each += 2
        for stock in _stock(session, order):
            stock.allocated_each -= 2
            stock.on_hand_each -= 2
        for line in order.lines:
            line.shipped_each = line.each


def receive(engine: Engine, n: int) -> None:
    with Session(engine) as session, session.begin():
        order = session.get_one(Order, n, with_for_update=True)
        assert order.state == "shipped"
        order.state = "received"
        for line in order.lines:
            line.received_each = line.shipped_each


def count(engine: Engine, n: int) -> None:
    with Session(engine) as session, session.begin():
        session.get_one(Stock, n % OFFERS, with_for_update=True).on_hand_each = 10**9


def _stock(session: Session, order: Order) -> Any:
    ids = [line.offer_id for line in order.lines]
    return session.scalars(select(Stock).where(Stock.id.in_(ids)).order_by(Stock.id).with_for_update())


STEPS = (place, confirm, ship, receive, count)


@contextmanager
def cluster() -> Iterator[str]:
    """A PostgreSQL server of its own on a local socket; its address. Raises FileNotFoundError where there is none."""
    found = shutil.which("pg_ctl") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))), None)
    if found is None:
        raise FileNotFoundError("PostgreSQL's server programs are not installed")
    programs = Path(found).parent
    with tempfile.TemporaryDirectory(prefix="hanse-bench-pg-") as scratch:
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_owner:
            shutil.chown(scratch, "postgres")
        data = f"{scratch}/data"
        options = f"-c listen_addresses='' -c unix_socket_directories={scratch}"

        def run(*command: str) -> None:
            subprocess.run([*as_owner, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

        run(f"{programs}/initdb", "-D", data, "-U", "bench", "--auth=trust", "--no-sync")
        run(f"{programs}/pg_ctl", "-D", data, "-o", options, "-l", f"{scratch}/log", "-w", "start")
        try:
            yield f"postgresql+psycopg://bench@/postgres?host={scratch}"
        finally:
            run(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def measure(address: str, orders: int, threads: int = 4) -> dict[str, Any]:
    """Requests a second: one after the other, and by several threads; synchronous_commit as PostgreSQL ships it."""
    engine = create_engine(address, pool_size=threads, max_overflow=0)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(Offer(id=i, each=10**9, reserved_each=0, taken_each=0) for i in range(OFFERS))
        session.add_all(Stock(id=i, on_hand_each=10**9, allocated_each=0) for i in range(OFFERS))

    def life(n: int) -> None:
        for step in STEPS:
            step(engine, n)

    life(10**6)
    started = time.perf_counter()
    for n in range(orders):
        life(n)
    single = orders * len(STEPS) / (time.perf_counter() - started)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(life, range(orders, 2 * orders)))
    many = orders * len(STEPS) / (time.perf_counter() - started)
    engine.dispose()
    return {"one_after_the_other_per_s": round(single), f"{threads}_threads_per_s": round(many)}
