"""Why this source: what else could serve a line, and what it would cost more."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from hanse.rooms.plans.private_rows import LineRow


class NextBest(Struct, frozen=True):
    """The best other single source of all that is served of a line, the rest of the plan standing.

    `extra_minor`: what it would cost more; below zero, that one move would better the plan.
    """

    source: str
    source_name: str
    place: str
    extra_minor: int


class Others:
    """What each line could take elsewhere, from what the plan leaves."""

    def __init__(
        self,
        lines: list[LineRow],
        taken: dict[int, list[tuple[str, int]]],
        held: dict[str, int],
        name_of: Callable[[str], str],
    ) -> None:
        self.taken, self.name_of, self.left = taken, name_of, dict(held)
        self.users: dict[tuple[int, str], set[int]] = {}
        for line in lines:
            places = {option.source: option.place for option in line.options}
            for source, each in taken.get(line.line, ()):
                self.left[source] = self.left.get(source, 0) - each
                if source in places:
                    self.users.setdefault((line.order_no, places[source]), set()).add(line.line)

    def next_best(self, line: LineRow) -> NextBest | None:
        mine = dict(self.taken.get(line.line, ()))
        served = sum(mine.values())
        options = {option.source: option for option in line.options}
        used = [options[source] for source in mine if source in options]
        if not served or len(used) != len(mine):
            return None
        now = sum(option.cost_minor * mine[option.source] for option in used)
        alone = {o.place: o.open_minor for o in used if self.users[line.order_no, o.place] == {line.line}}
        best: tuple[int, str] | None = None
        for option in line.options:
            if set(mine) == {option.source} or self.left.get(option.source, 0) + mine.get(option.source, 0) < served:
                continue
            open_now = (line.order_no, option.place) in self.users
            closing = sum(cost for place, cost in alone.items() if place != option.place)
            extra = option.cost_minor * served + (0 if open_now else option.open_minor) - now - closing
            best = min(best, (extra, option.source)) if best else (extra, option.source)
        if best is None:
            return None
        extra, source = best
        return NextBest(source, self.name_of(source), options[source].place, extra)
