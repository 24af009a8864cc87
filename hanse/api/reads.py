"""Reading through the API: each room's `api.py` lists `READS`, path -> query; parameters come from the query's own
signature, so that a query and its door cannot disagree.

A list answers `{"rows": [...], "next": cursor or null}`; `cursor` is where the next page starts.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get
from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.node import history
from hanse.node.desk import Desk
from hanse.node.prove import prove
from hanse.rooms import modules

LIMIT_MAX = 1_000
NUMBER_MAX = 2**41
"""Of any number in an address: beyond all times, positions and money; as many days in seconds still fit the state."""
Desks = Callable[[Request[Any, Any, Any]], Desk]


class Read(Struct, frozen=True):
    """One query as the API offers it.

    Attributes:
        path: below `/api/v1/`, with `{name}` for parameters that stand in it.
        query: `(view, **parameters)`. about: its sentence. parameters: struct type of all parameters but the view.
    """

    path: str
    query: Callable[..., Any]
    about: str
    parameters: type[Struct]
    in_path: tuple[str, ...]


def collect() -> list[Read]:
    """All reads of all rooms, in ROOMS order. Raises ValueError where two have the same path."""
    found: dict[str, Read] = {}
    for module in modules("api"):
        for path, query in module.READS.items():
            if path in found:
                raise ValueError(f"two reads are at {path}")
            found[path] = _read(path, query)
    return list(found.values())


def _read(path: str, query: Callable[..., Any]) -> Read:
    hints = typing.get_type_hints(query, include_extras=True)
    fields: list[Any] = []
    for parameter in list(inspect.signature(query).parameters.values())[1:]:
        hint = hints[parameter.name]
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, hint))
        else:
            fields.append((parameter.name, hint, parameter.default))
    struct = msgspec.defstruct(f"{query.__name__}_parameters", fields, kw_only=True, forbid_unknown_fields=True)
    in_path = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
    about = (inspect.getdoc(query) or "").partition("\n")[0]
    return Read(path, query, about, struct, in_path)


def handlers(desk_of: Desks) -> list[Any]:
    """One GET handler a read."""
    return [_handler(read, desk_of) for read in collect()]


def _handler(read: Read, desk_of: Desks) -> Any:
    *before, last = read.path.split("/")
    parts = [f"{{{part[1:-1]}:str}}" if part.startswith("{") else part for part in before]
    parts.append(f"{{{last[1:-1]}:path}}" if last.startswith("{") else last)  # identifiers may hold slashes
    path = "/".join(parts)

    @get(f"/{path}", sync_to_thread=True, name=f"read {read.path}")
    def handler(request: Request[Any, Any, Any]) -> Response[bytes]:
        desk = desk_of(request)
        in_path = {name: str(value).removeprefix("/") for name, value in request.path_params.items()}
        asked = {**dict(request.query_params), **in_path}
        return Response(msgspec.json.encode(answer(read, desk, asked)), media_type="application/json")

    return handler


def answer(read: Read, desk: Desk, asked: dict[str, Any]) -> Any:
    """What a read says to a desk. Refuses, in order: api.bad_parameter, as the query, api.unknown_thing."""
    try:
        parameters = msgspec.convert(asked, read.parameters, strict=False)
    except msgspec.ValidationError as error:
        names = ", ".join(read.parameters.__struct_fields__)
        raise Refused("api.bad_parameter", str(error), got=asked, expected=names) from None
    given = {name: getattr(parameters, name) for name in parameters.__struct_fields__}
    for name in asked:
        number = given[name]
        if isinstance(number, int) and abs(number) > NUMBER_MAX:
            raise Refused(
                "api.bad_parameter", f"{name} is out of range", got=number, expected=f"at most {NUMBER_MAX:,}"
            )
    limit = given.get("limit")
    if isinstance(limit, int) and not 1 <= limit <= LIMIT_MAX:
        raise Refused("api.bad_parameter", "limit is out of range", got=limit, expected=f"1 .. {LIMIT_MAX}")
    found = read.query(desk.view, **given)
    if found is None:
        raise Refused("api.unknown_thing", "there is nothing here that you may read", got=read.path)
    return {"rows": found} if isinstance(found, Sequence) and not isinstance(found, str) else found


def entry(desk: Desk, position: int) -> history.Told:
    """One entry as the desk's party may see it."""
    return history.told(desk.node, desk.view, position)


def proof(desk: Desk, position: int) -> Any:
    """The proof that an entry stands in the published record."""
    history.told(desk.node, desk.view, position)
    return prove(desk.node, position)
