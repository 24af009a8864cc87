"""Countries as people write them -> ISO 3166-1 alpha-2 codes."""

import unicodedata
from functools import lru_cache

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW
"""
_NAMES = """
AR argentina,argentinien,argentine|AT austria,österreich,autriche|AU australia,australien,australie
BE belgium,belgien,belgique,bélgica|BH bahrain|BR brazil,brasilien,brésil,brasil|CA canada,kanada
CH switzerland,schweiz,suisse,suiza|CL chile|CN china,chine|CO colombia,kolumbien|CY cyprus,zypern,chypre
CZ czech republic,czechia,tschechien|DE germany,deutschland,allemagne,alemania,brd|DK denmark,dänemark,danemark
EE estonia,estland|ES spain,spanien,espagne,españa|FI finland,finnland,finlande|FR france,frankreich,francia
GB united kingdom,uk,great britain,england,scotland,wales,northern ireland,royaume-uni,reino unido,großbritannien
GR greece,griechenland,grèce|HK hong kong|HR croatia,kroatien|HU hungary,ungarn|ID indonesia
IE ireland,irland,irlande,eire|IL israel|IN india,indien,inde|IS iceland,island|IT italy,italien,italie,italia
JP japan,japon|KR south korea,korea|LB lebanon|LT lithuania,litauen|LU luxembourg,luxemburg|LV latvia,lettland
MT malta|MX mexico,mexiko,mexique,méxico|MY malaysia|NL netherlands,holland,niederlande,pays-bas,the netherlands
NO norway,norwegen,norvège|NZ new zealand|PE peru|PH philippines|PL poland,polen,pologne|PT portugal
RO romania,rumänien|RS serbia|RU russia,russland|SA saudi arabia|SE sweden,schweden,suède,suecia
SG singapore,singapur|SI slovenia,slowenien|SK slovakia,slowakei|TH thailand|TR turkey,türkei,turquie,türkiye
TW taiwan|UA ukraine|US usa,united states,u.s.a.,united states of america,vereinigte staaten,états-unis,estados unidos
VE venezuela|VN vietnam|ZA south africa,südafrika,rsa|AE united arab emirates,uae
"""


def _key(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(ch for ch in split if ch.isalnum() and not unicodedata.combining(ch))


CODES = frozenset(_CODES.split())
_BY_NAME = {
    _key(name): entry[:2] for entry in _NAMES.replace("\n", "|").strip("|").split("|") for name in entry[3:].split(",")
}


@lru_cache(maxsize=4096)
def country_code(text: str) -> str:
    """Return the two-letter code of a country, "" when unknown.

    >>> country_code("de"), country_code("Österreich"), country_code("U.S.A."), country_code("Atlantis")
    ('DE', 'AT', 'US', '')
    """
    code = text.strip().upper()
    return code if code in CODES else _BY_NAME.get(_key(text), "")
