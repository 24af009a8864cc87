"""Words of the maintenance trade that mean the same: abbreviations, and German, French and Spanish names.

One line per meaning; the first word is the one that the others are read as. Legal forms and brand spellings beside.
"""

_SAME = """
bearing brg brgs bearings lager kugellager rillenkugellager roulement roulements rodamiento rodamientos
ball kugel bille billes bolas bola
groove grv rille rillen
seal seals dichtung wellendichtring simmerring joint retén reten sello
oring o-ring orings rundring torique torica tórica
belt belts riemen keilriemen courroie courroies correa correas
vbelt v-belt keil
filter filters filtr fltr filtre filtres filtro filtros
screw screws scr schraube schrauben vis tornillo tornillos
bolt bolts blt bolzen boulon perno
nut nuts mutter muttern écrou ecrou tuerca
washer washers wshr scheibe unterlegscheibe rondelle arandela
hex hexagon hexagonal hx sechskant hexagonale
socket skt sckt inbus innensechskant
head hd kopf tête tete cabeza
motor motors mtr moteur moteurs elektromotor
pump pumps pmp pumpe pompe bomba
valve valves vlv ventil vanne soupape válvula valvula
ballvalve kugelhahn
pneumatic pneu pneum pneumatik pneumatique neumático neumatico
hydraulic hyd hydr hydraulik hydraulique hidráulico hidraulico
hose hoses schlauch tuyau flexible manguera
fitting fittings ftg fttg verschraubung raccord racor
cylinder cyl zylinder vérin verin cilindro
relay relays rly relais relé rele
contactor contactors cntr schütz schuetz contacteur contactor
breaker brkr cb leitungsschutzschalter disjoncteur disyuntor
switch sw swt schalter interrupteur interruptor
sensor sensors snsr capteur
cable cables cbl kabel câble
chain chains kette rollenkette chaîne chaine cadena
sprocket sprkt kettenrad pignon piñon
coupling cplg cplng kupplung accouplement acoplamiento
gasket gskt flachdichtung garniture junta
stainless ss sst edelstahl inox inoxydable inoxidable va
steel stl stahl acier acero
zinc zn zp verzinkt zingué zingue cincado galvanised galvanized galv
brass brs messing laiton latón laton
rubber rbr gummi caoutchouc caucho
sealed sld abgedichtet étanche etanche sellado
shielded shld deckscheibe blindé blinde
oil öl oel huile aceite
air luft aire
fuel kraftstoff carburant combustible
water wasser eau agua
black blk schwarz noir negro
white wht weiss weiß blanc blanco
red rot rouge rojo
blue blu blau bleu azul
green grn grün gruen vert verde
grey gray grau gris
phase ph phasen
glove gloves handschuh handschuhe gant gants guante guantes
lamp lamps leuchte lampe lámpara lampara bulb
"""

SYNONYMS: dict[str, str] = {
    word: line.split()[0] for line in _SAME.strip().splitlines() for word in line.split()[1:] if word != line.split()[0]
}

_LEGAL = """
ab ag gmbh mbh inc incorporated ltd limited llc llp co corp corporation company sa sas sarl spa srl bv nv plc kg kgaa oy
oyj as aps se sl slu kk pty pte cie gruppe group holding holdings international intl deutschland europe usa america
france espana iberica uk und and et y the
"""
LEGAL_FORMS = frozenset(_LEGAL.split())

# Spellings of one brand, both sides as `brand_key` leaves them before this table is read.
BRAND_ALIASES: dict[str, str] = {
    "schaefflerfag": "fag",
    "fagbearings": "fag",
    "fagschaeffler": "fag",
    "schaefflerina": "ina",
    "skfbearings": "skf",
    "svenskakullagerfabriken": "skf",
    "timkenbearings": "timken",
    "nskbearings": "nsk",
    "ntnbearings": "ntn",
    "ntnsnr": "snr",
    "gatesrubber": "gates",
    "contitech": "continental",
    "continentalcontitech": "continental",
    "freudenbergsimrit": "simrit",
    "freudenbergsealing": "simrit",
    "boschrexroth": "rexroth",
    "parkerhannifin": "parker",
    "parkerfilters": "parker",
    "mannhummel": "mann",
    "mannfilter": "mann",
    "siemensenergy": "siemens",
    "asea": "abb",
    "asabrownboveri": "abb",
    "schneider": "schneiderelectric",
    "telemecanique": "schneiderelectric",
    "merlingerin": "schneiderelectric",
    "adolfwurth": "wurth",
    "wuerth": "wurth",
    "minnesotaminingmanufacturing": "3m",
    "festopneumatic": "festo",
    "smcpneumatics": "smc",
    "donaldsonfiltration": "donaldson",
}

# Ends of part numbers that speak of packing, not of the item. Suffixes of the maker (2RS, C3, ZZ) are not noise.
_PACKING = "ea each pcs stk stck bx box pk pkg pack pkt ctn bulk retail vpe"
PACK_WORDS = frozenset(_PACKING.split())
