"""Import: a file of people's own shape: its columns guessed and looked at, wrong rows corrected, the good signed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from anyio import to_thread
from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse.importers import ImportRefused, library, template
from hanse.importers.mapping import MappingFile, dump, load
from hanse.importers.targets import TARGETS, target
from hanse.node.desk import Desk
from hanse.site import pages_jobs as work
from hanse.site.desks import desk
from hanse.site.menu import Entry
from hanse.site.pages_forms import Accounts, Fields, Given, attempt, note_seen
from hanse.site.pages_forms import shown as shown_refusal
from hanse.site.pages_jobs import Job
from hanse.web import Badge, Read, Reader, Refusal, Session, go, needs_role, not_here, page

IMPORTERS = ("owner", "seller", "buyer", "warehouse")
KIND_WORDS = {
    "catalog.set_own_item": "own numbers", "catalog.link_item": "matches to items", "catalog.publish_item":
    "items published", "parties.set_site": "sites", "inventory.count": "counts", "inventory.set_policy": "own rules",
    "inventory.earmark": "earmarks", "inventory.offer": "offers", "orders.place": "orders",
    "orders.confirm": "confirmations", "orders.ship": "shipments", "orders.receive": "receipts",
}  # fmt: skip


def import_desk(read: Any, session: Session) -> Desk:
    """The desk of somebody who may import; to others these pages do not exist."""
    needs_role(session, *IMPORTERS)
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def _start(found: Desk, status: int = 200, refusal: Any = None) -> Template:
    node, party = found.node, found.who.party
    saved = [
        (one.name, ", ".join(sorted({target(s.target).title.partition(":")[0] for s in one.sections})))
        for one in library.saved(work.mappings_of(node, party))
    ]
    return page(
        "site/import.html", title="Import", status=status, refusal=refusal, jobs=work.jobs(node, party)[:12],
        targets=list(TARGETS.values()), saved=saved,
    )  # fmt: skip


@get("/import", sync_to_thread=True)
def import_page(session: Reader, read: Read) -> Template:
    """Where a file is dropped; earlier uploads, saved mappings, templates."""
    return _start(import_desk(read, session))


@post("/import", opt={"stream": True}, request_max_body_size=None)
async def upload(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Any:
    """Take a file in, piece by piece; the form's token stands in the address."""
    needs_role(session, *IMPORTERS)
    form = await request.form()
    sent = form.get("file")

    def keep() -> Any:
        found = import_desk(read, session)

        def act() -> Response[Any]:
            if not isinstance(sent, UploadFile) or not sent.filename:
                raise Refusal("import.no_file", "Choose a file first.", expected="CSV, XLSX or JSON")
            job = work.take(found.node, found.who.party, session.user, sent.filename, sent.file)
            note_seen(accounts, session, f"import:{job.name}", request)
            try:
                work.plan(found, job)
            except ImportRefused as refused:
                if not refused.code.startswith("mapping."):
                    raise
            return go(f"/import/{job.id}")

        return attempt(act, lambda status, refusal: _start(found, status, refusal))

    try:
        return await to_thread.run_sync(keep)
    finally:
        if isinstance(sent, UploadFile):
            await sent.close()


@get("/import/template/{name:str}", sync_to_thread=False)
def template_file(session: Reader, name: FromPath[str]) -> Response[bytes]:
    """An empty table of one kind with an example row."""
    if name not in TARGETS:
        raise not_here()
    return _file(template(name).encode(), f"{name}.csv", "text/csv")


def _file(data: bytes, name: str, media: str) -> Response[bytes]:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:100] or "file"
    return Response(data, media_type=media, headers={"Content-Disposition": f'attachment; filename="{plain}"'})


# -- one upload ----------------------------------------------------------------------------------------------------


def _job(found: Desk, id: str) -> Job:
    job = work.job_of(found.node, found.who.party, id)
    if job is None:
        raise not_here()
    return job


def _job_page(found: Desk, job: Job, status: int = 200, refusal: Any = None) -> Template:
    mapping = load(job.mapping)
    views: list[work.SectionView] = []
    try:
        sheets = work.sheets(found.node, job)
        views = work.shown(mapping, sheets)
        if job.said is None and refusal is None:
            refusal = _why_not(found, job)
    except ImportRefused as error:
        status, refusal = shown_refusal(error)
    bad = []
    for number, section in enumerate(job.said.sections if job.said else ()):
        if section.fixes:
            columns, rows = work.bad_rows(section.fixes)
            bad.append((number, section, columns, rows))
    return page(
        "site/import_job.html", title=job.name, crumbs=(("Import", "/import"),), status=status, refusal=refusal,
        job=job, views=views, said=job.said, bad=bad, kinds=_kinds(job), base=f"/import/{job.id}",
        targets=[("", "leave it out"), *[(t.name, t.title) for t in TARGETS.values()]], badge=confidence,
        corrected=sum(len(rows) for rows in job.fixes.values()),
    )  # fmt: skip


def _why_not(found: Desk, job: Job) -> Any:
    """Why nothing could be planned: plan again, and say what stands in the way."""
    try:
        work.plan(found, job)
    except ImportRefused as error:
        return shown_refusal(error)[1]
    return None


def _kinds(job: Job) -> list[tuple[str, int]]:
    if job.said is None:
        return []
    return [(KIND_WORDS.get(kind, kind.rpartition(".")[2].replace("_", " ")), n) for kind, n in job.said.facts.items()]


def confidence(sure: int) -> Badge:
    """How sure a guess is, in a word.

    >>> confidence(96).text, confidence(60).tone, confidence(-1).text
    ('sure', 'info', 'yours')
    """
    if sure < 0:
        return Badge("yours")
    return Badge("sure", "good") if sure >= 85 else Badge("likely", "info") if sure >= 55 else Badge("look", "warn")


@get("/import/{id:str}", sync_to_thread=True)
def job_page(session: Reader, read: Read, id: FromPath[str]) -> Template:
    """One upload: how its columns are read, what it would do, what is wrong with it."""
    found = import_desk(read, session)
    return _job_page(found, _job(found, id))


def _change(session: Any, read: Any, id: str, act: Any) -> Any:
    found = import_desk(read, session)
    job = _job(found, id)

    def do() -> Any:
        return act(found, job) or go(f"/import/{job.id}")

    return attempt(do, lambda status, refusal: _job_page(found, _job(found, id), status, refusal))


@post("/import/{id:str}/mapping", sync_to_thread=True)
def set_mapping(session: Reader, read: Read, id: FromPath[str], data: Fields) -> Any:
    """Read the columns as the form says; where asked, remember it for the next file of these columns."""

    def act(found: Desk, job: Job) -> Any:
        given = Given(data)
        mapping = work.changed(load(job.mapping), work.sheets(found.node, job), data)
        name = given.text("save_as", "Name", most=60)
        if name:
            safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "mapping"
            mapping = replace(mapping, name=safe)
            library.save(work.mappings_of(found.node, found.who.party), _sure(mapping))
        job.mapping, job.found, job.said = dump(mapping), "yours", None
        work.keep(found.node, job)
        work.plan(found, job)

    return _change(session, read, id, act)


def _sure(mapping: MappingFile) -> MappingFile:
    """A mapping that a person has looked at is no guess any more."""
    return replace(mapping, confidence={})


@post("/import/{id:str}/rows", sync_to_thread=True)
def set_rows(session: Reader, read: Read, id: FromPath[str], data: Fields) -> Any:
    """Correct wrong rows in place."""

    def act(found: Desk, job: Job) -> Any:
        count = work.correct(job, data)
        work.keep(found.node, job)
        work.plan(found, job)
        return go(f"/import/{job.id}#bad", notice=f"{count} rows corrected." if count else "Nothing was changed.")

    return _change(session, read, id, act)


@post("/import/{id:str}/commit", sync_to_thread=True)
def commit(session: Reader, read: Read, id: FromPath[str]) -> Any:
    """Sign the good rows; the wrong ones stay on the fix list."""

    def act(found: Desk, job: Job) -> Any:
        work.commit(found, job)
        assert job.said is not None, "it was just said"
        return go(f"/import/{job.id}", notice=f"Signed: {job.said.facts_n:,} entries.")

    return _change(session, read, id, act)


@get("/import/{id:str}/fixes/{number:int}", sync_to_thread=True)
def fixes(session: Reader, read: Read, id: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """The wrong rows of one section with their reasons, to be corrected elsewhere and sent again."""
    found = import_desk(read, session)
    job = _job(found, id)
    sections = job.said.sections if job.said else []
    if not 0 <= number < len(sections) or not sections[number].fixes:
        raise not_here()
    section = sections[number]
    name = f"{job.name}.{number + 1}-{section.target}.fix.csv"
    return _file(section.fixes.encode(), name, "text/csv")


@get("/import/{id:str}/mapping.toml", sync_to_thread=True)
def mapping_file(session: Reader, read: Read, id: FromPath[str]) -> Response[bytes]:
    """The mapping as a file, for `hanse import --mapping`."""
    found = import_desk(read, session)
    job = _job(found, id)
    return _file(job.mapping.encode(), f"{job.name}.toml", "application/toml")


NAV = [Entry("Import", "/import", "", IMPORTERS)]
PAGES: list[Any] = [
    import_page, upload, template_file, job_page, set_mapping, set_rows, commit, fixes, mapping_file,
]  # fmt: skip
