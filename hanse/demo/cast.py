"""Who takes part: forty firms at real cities."""

from __future__ import annotations

from msgspec import Struct

from hanse.gazetteer import City, find
from hanse.rooms.parties.facts import PartyKind


class Firm(Struct, frozen=True):
    """A firm of the demo. `prefix`: how its own part numbers begin. `language`: of its item names, "de" or "en"."""

    party: str
    name: str
    kind: PartyKind
    city: str
    country: str
    prefix: str
    language: str = "de"

    @property
    def place(self) -> City:
        found = find(self.city, self.country)
        assert found is not None, self.city
        return found

    @property
    def site(self) -> str:
        return f"{self.party}-1"


GROUP = Firm("hanse-group", "Hanse Technik Group", "group", "Lübeck", "DE", "HTG")
MANUFACTURERS = (
    Firm("nordlager", "Nordlager AB", "manufacturer", "Gothenburg", "SE", "NL", "en"),
    Firm("kogge-antriebe", "Kogge Antriebe GmbH", "manufacturer", "Bielefeld", "DE", "KA"),
    Firm("dichtwerk", "Dichtwerk Elbe GmbH", "manufacturer", "Magdeburg", "DE", "DW"),
    Firm("baltic-fasteners", "Baltic Fasteners UAB", "manufacturer", "Kaunas", "LT", "BF", "en"),
    Firm("filtra", "Filtra Sp. z o.o.", "manufacturer", "Toruń", "PL", "FI", "en"),
    Firm("sensorik-weser", "Sensorik Weser GmbH", "manufacturer", "Bremen", "DE", "SW"),
)
DISTRIBUTORS = (
    Firm("trave-technik", "Trave Technik", "distributor", "Lübeck", "DE", "TT"),
    Firm("alster-industrie", "Alster Industriebedarf", "distributor", "Hamburg", "DE", "AI"),
    Firm("warnow-bedarf", "Warnow Bedarf", "distributor", "Rostock", "DE", "WB"),
    Firm("revaler-handel", "Revaler Handelshaus", "distributor", "Tallinn", "EE", "RH", "en"),
    Firm("daugava-supply", "Daugava Supply", "distributor", "Riga", "LV", "DS", "en"),
    Firm("motlawa", "Motława Technika", "distributor", "Gdańsk", "PL", "MT", "en"),
    Firm("oder-teile", "Oder Teile", "distributor", "Szczecin", "PL", "OT", "en"),
    Firm("bryggen-verktoy", "Bryggen Verktøy", "distributor", "Bergen", "NO", "BV", "en"),
    Firm("gotland-maskin", "Gotland Maskin", "distributor", "Visby", "SE", "GM", "en"),
    Firm("rhein-antrieb", "Rhein Antriebstechnik", "distributor", "Köln", "DE", "RA"),
    Firm("westfalen-lager", "Westfalen Wälzlager", "distributor", "Dortmund", "DE", "WL"),
    Firm("leine-hydraulik", "Leine Hydraulik", "distributor", "Hannover", "DE", "LH"),
    Firm("ems-bedarf", "Ems Industriebedarf", "distributor", "Osnabrück", "DE", "EB"),
    Firm("kontor-kiel", "Kontor Kiel", "distributor", "Kiel", "DE", "KK"),
)
CUSTOMERS = (
    Firm("werft-wismar", "Werft Wismar", "plant", "Wismar", "DE", "WW"),
    Firm("molkerei-holstein", "Molkerei Holstein", "plant", "Flensburg", "DE", "MH"),
    Firm("papier-lueneburg", "Papierfabrik Lüneburg", "plant", "Lüneburg", "DE", "PL"),
    Firm("klinik-nord", "Kliniken Nord", "plant", "Kiel", "DE", "KN"),
    Firm("saegewerk-harz", "Sägewerk Harz", "plant", "Goslar", "DE", "SH"),
    Firm("riga-port", "Riga Port Services", "contractor", "Riga", "LV", "RP", "en"),
    Firm("tallinn-lifts", "Tallinn Lifts", "contractor", "Tallinn", "EE", "TL", "en"),
    Firm("gdansk-pumps", "Gdańsk Pumps", "contractor", "Gdańsk", "PL", "GP", "en"),
    Firm("montage-bremen", "Montage Bremen", "contractor", "Bremen", "DE", "MB"),
    Firm("foerder-ruhr", "Förderanlagen Ruhr", "contractor", "Essen", "DE", "FR"),
    Firm("windservice-nord", "Windservice Nord", "contractor", "Schwerin", "DE", "WN"),
    Firm("brauerei-soest", "Brauerei Soest", "plant", "Soest", "DE", "BS"),
)
SOLOS = (
    Firm("anna-brandt", "Anna Brandt, Instandhaltung", "solo", "Lübeck", "DE", "AB"),
    Firm("jonas-veit", "Jonas Veit, Pumpendienst", "solo", "Rostock", "DE", "JV"),
    Firm("mikkel-sand", "Mikkel Sand, Køl og Klima", "solo", "Odense", "DK", "MS", "en"),
    Firm("elina-tamm", "Elina Tamm, Machine Repair", "solo", "Tartu", "EE", "ET", "en"),
    Firm("piotr-nowak", "Piotr Nowak, Serwis", "solo", "Elbląg", "PL", "PN", "en"),
    Firm("lars-holm", "Lars Holm, Industriservice", "solo", "Malmö", "SE", "LS", "en"),
    Firm("greta-voss", "Greta Voss, Schlosserei", "solo", "Stralsund", "DE", "GV"),
)
FIRMS = (GROUP, *MANUFACTURERS, *DISTRIBUTORS, *CUSTOMERS, *SOLOS)
POOL = tuple(firm.party for firm in DISTRIBUTORS)
COMPETITOR = "alster-industrie"
"""The member whose screen the story shows beside the buyer's distributor's."""


def by_party() -> dict[str, Firm]:
    return {firm.party: firm for firm in FIRMS}


def customers_of() -> list[tuple[Firm, Firm]]:
    """(customer, distributor): each customer buys from the two nearest distributors, each solo from the nearest."""
    pairs = []
    for customer in (*CUSTOMERS, *SOLOS):
        near = sorted(DISTRIBUTORS, key=lambda d: (_apart(customer, d), d.party))
        pairs += [(customer, distributor) for distributor in near[: 1 if customer.kind == "solo" else 2]]
    return pairs


def suppliers_of() -> list[tuple[Firm, Firm]]:
    """(distributor, manufacturer): every distributor buys from three or four of the six manufacturers."""
    pairs = []
    for i, distributor in enumerate(DISTRIBUTORS):
        count = 3 + i % 2
        pairs += [(distributor, MANUFACTURERS[(i + k * (1 + i % 5)) % 6]) for k in range(count)]
    return list(dict.fromkeys(pairs))


def _apart(a: Firm, b: Firm) -> int:
    """A rough squared distance, enough to rank neighbours."""
    x, y = a.place, b.place
    return ((x.latitude_microdeg - y.latitude_microdeg) // 1000) ** 2 + (
        (x.longitude_microdeg - y.longitude_microdeg) * 6 // 10_000
    ) ** 2
