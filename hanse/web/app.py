"""The web application: the shell's own pages, and the rooms' pages that it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig

from hanse.web import home, settings, signin
from hanse.web.assets import asset, static_file
from hanse.web.cells import CELLS
from hanse.web.charts import chart_json
from hanse.web.formats import FILTERS
from hanse.web.gate import Gate, add_headers
from hanse.web.head import Application
from hanse.web.refusals import answer
from hanse.web.site import Session, Site
from hanse.web.squeeze import Squeeze

TEMPLATES = Path(__file__).parent / "templates"


def environment(folders: list[Path]) -> jinja2.Environment:
    """Jinja: everything escaped, unknown names are errors; the shell's templates, and each room's under its name.

    Raises: ValueError when two folders have the same name.
    """
    rooms: Mapping[str, jinja2.BaseLoader] = {folder.name: jinja2.FileSystemLoader(folder) for folder in folders}
    if len(rooms) != len(folders):
        raise ValueError("two template folders have the same name")
    own = jinja2.FileSystemLoader(TEMPLATES)
    env = jinja2.Environment(
        loader=jinja2.ChoiceLoader([own, jinja2.PrefixLoader(rooms)]),
        extensions=[Squeeze],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(FILTERS)
    env.globals.update(asset=asset, chart_json=chart_json, **CELLS)
    env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return env


def provide_session(request: Request[Any, Any, Any]) -> Session:
    """The reader, for handlers with a `session: Reader` parameter (on public pages use `request.state.shell`)."""
    session: Session = request.state.shell.session
    return session


def create_app(site: Site) -> Litestar:
    """The web application of a site.

    Pages of rooms come before the shell's own where they say so (`/` of a room wins over the shell's start page);
    `mounts` (the JSON API) see no cookies and no CSRF.
    """

    def provide_read() -> Any:
        return site.read

    taken = _paths(site)
    own = [handler for handler in home.PAGES if not (set(handler.paths) & taken)]
    pages = Router("/", route_handlers=[*own, *signin.PAGES, *settings.PAGES, *site.pages], opt={"door": "web"},
                   guards=site.guards)  # fmt: skip
    mounts = Router("/", route_handlers=list(site.mounts), opt={"door": "api", "public": True})
    return Application(
        route_handlers=[static_file, pages, *([mounts] if site.mounts else [])],
        dependencies={
            "session": Provide(provide_session, sync_to_thread=False),
            "read": Provide(provide_read, sync_to_thread=False),
            **site.dependencies,
        },
        middleware=[Gate(site)],
        before_send=[add_headers],
        exception_handlers={Exception: answer},
        template_config=TemplateConfig(
            instance=JinjaTemplateEngine.from_environment(environment(site.templates)),
        ),
        compression_config=CompressionConfig(
            backend="gzip", minimum_size=1000, gzip_compress_level=5, exclude=["^/static/"]
        ),
        response_cache_config=ResponseCacheConfig(default_expiration=int(timedelta(0).total_seconds())),
        request_max_body_size=site.body_bytes_max,
        state=State({"site": site, "read": site.read}),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _paths(site: Site) -> set[str]:
    """The addresses that rooms' plain handlers take."""
    return {path for route in site.pages for path in getattr(route, "paths", ())}
