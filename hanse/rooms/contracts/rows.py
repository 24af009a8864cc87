"""What everybody sees of contracts: templates, which circles keep a clock, and digests that parties published."""

from __future__ import annotations

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table


class TemplateRow(Row, frozen=True, kw_only=True):
    """A registered template. `text`: canonical JSON (RFC 8785), whose SHA-256 is its key."""

    sha256: str
    name: str
    version: str
    title: str
    publisher: str
    registered_at: int
    text: str


class ClockRow(Row, frozen=True, kw_only=True):
    """A circle that keeps agreements: its clock beats once a day until `until_at`, next at `next_at` (UTC seconds).

    What a circle waits for in private ends at the first beat or fact of the circle after its time, in the order of
    those times: so strangers see a beat a day, and no deadline.
    """

    circle: str
    next_at: int
    until_at: int


class PublishedRow(Row, frozen=True, kw_only=True):
    """A result's digest that aliases put on the record."""

    sha256: str
    circle: str
    aliases: tuple[str, ...]


TEMPLATES = Table("contracts_template", TemplateRow, ("sha256",), index=[("name",)])
CLOCKS = Table("contracts_clock", ClockRow, ("circle",))
PUBLISHED = Table("contracts_published", PublishedRow, ("sha256",))
