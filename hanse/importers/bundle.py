"""The ready mappings, and the templates of the plain Hanse bundle."""

import csv
import io
from importlib.resources import files

from hanse.importers.mapping import FieldMap, MappingFile, Section, dump, load
from hanse.importers.refusal import ImportRefused
from hanse.importers.targets import TARGETS, Field, target

READY = ("hanse", "brunel_logistics", "adventureworks", "online_retail", "northwind")


def ready(name: str) -> MappingFile:
    """Return a mapping that comes with Hanse; refuses mapping.unknown.

    >>> ready("brunel_logistics").sections[0].target
    'parties'
    """
    if name not in READY:
        raise ImportRefused("mapping.unknown", "no such mapping", name, ", ".join(READY), "choose one")
    return load(files("hanse.importers").joinpath("mappings", f"{name}.toml").read_text("utf-8"))


def column_of(field: Field) -> str:
    """Name the column of a field in the bundle: money, rates and degrees are written as people write them.

    >>> column_of(target("items").field("list_price_minor")), column_of(target("sites").field("latitude_e6"))
    ('list_price', 'latitude')
    """
    for suffix in ("_minor", "_e6", "_ppm"):
        if field.name.endswith(suffix):
            return field.name.removesuffix(suffix)
    return field.name


def template(name: str) -> str:
    """Return a CSV text with the columns of a target and one example row; refuses target.unknown.

    >>> template("sourcing").splitlines()
    ['rule,site,item,customer,port', 'site_item,HH-1,BRG-6204,C-1001,PORT09']
    """
    if name not in TARGETS:
        raise ImportRefused("target.unknown", "no such target", name, ", ".join(TARGETS), "choose one")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column_of(field) for field in target(name).fields])
    writer.writerow([field.example for field in target(name).fields])
    return out.getvalue()


def bundle() -> MappingFile:
    """Return the mapping of the plain bundle: a sheet named as a target, columns named as its fields."""
    sections = [
        Section(one.name, one.name, {f.name: FieldMap(column=column_of(f)) for f in one.fields}, optional=True)
        for one in TARGETS.values()
    ]
    return MappingFile("hanse", tuple(sections), "The plain Hanse bundle")


def bundle_toml() -> str:
    """The bundle as it stands in mappings/hanse.toml."""
    return dump(bundle())
