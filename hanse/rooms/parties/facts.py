"""What parties sign about themselves, and what state holds of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import END, WITHHELD, Commercial, Currency, Fact, Id, LongText, Minor, Personal, Seconds, Text
from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

FOREVER = 2**40
PublicKey = Annotated[str, Meta(min_length=43, max_length=43, pattern=rf"^[A-Za-z0-9_-]+{END}")]
"""An Ed25519 public key, base64url."""
Kid = Annotated[str, Meta(min_length=22, max_length=22, pattern=rf"^[A-Za-z0-9_-]+{END}")]
"""A key's thumbprint, base64url."""
KeyProof = Annotated[str, Meta(min_length=86, max_length=86, pattern=rf"^[A-Za-z0-9_-]+{END}")]
"""An Ed25519 signature by a new key, base64url: `proofs.prove_key`."""
Consent = Annotated[
    str, Meta(min_length=109, max_length=109, pattern=rf"^[A-Za-z0-9_-]{{22}}[.][A-Za-z0-9_-]{{86}}{END}")
]
"""A party's consent to one circle: the kid of its own key, and that key's signature: `proofs.give_consent`."""
Country = Annotated[str, Meta(min_length=2, max_length=2, pattern=rf"^[A-Z]{{2}}{END}")]
Microdegrees = Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]
PartyKind = Literal["manufacturer", "distributor", "contractor", "solo", "group", "plant", "other"]
Role = Literal["owner", "buyer", "seller", "warehouse", "viewer"]
Purpose = Literal["home", "relationship", "group"]


class FoundNetwork(Fact, frozen=True, kw_only=True):
    """The first fact of a network; its signer becomes the registrar."""

    kind: ClassVar[str] = "parties.found"
    introduces: ClassVar[bool] = True
    network: Text
    party: Id
    name: Text
    party_kind: PartyKind
    country: Country
    city: Text
    public_key: PublicKey


class InviteParty(Fact, frozen=True, kw_only=True):
    """A member opens the door once. `invitation`: the public key of the secret that is given by hand."""

    kind: ClassVar[str] = "parties.invite"
    invitation: PublicKey
    expires_at: Seconds


class JoinNetwork(Fact, frozen=True, kw_only=True):
    """An invited party enters, with its own key. `admission`: by the invitation's key, for this party and key.

    So the secret is not shown, and whoever sees this fact on its way cannot take the invitation for itself.
    """

    kind: ClassVar[str] = "parties.join"
    introduces: ClassVar[bool] = True
    party: Id
    name: Text
    party_kind: PartyKind
    country: Country
    city: Text
    public_key: PublicKey
    invitation: PublicKey
    admission: KeyProof


class DescribeParty(Fact, frozen=True, kw_only=True):
    """A party changes its public profile."""

    kind: ClassVar[str] = "parties.describe"
    name: Text
    city: Text
    country: Country
    about: LongText = ""


class AddKey(Fact, frozen=True, kw_only=True):
    """A party or alias adds a key; both keys are good until the old one is retired (rotation with an overlap).

    `proof`: by the new key, so that nobody can add, and so take, a key that somebody else is about to use.
    """

    kind: ClassVar[str] = "parties.add_key"
    public_key: PublicKey
    proof: KeyProof
    from_at: Seconds = 0


class RetireKey(Fact, frozen=True, kw_only=True):
    """A key's end. `compromised`: nothing signed with it counts from now on; else from `until_at`."""

    kind: ClassVar[str] = "parties.retire_key"
    kid: Kid
    until_at: Seconds = 0
    compromised: bool = False


class EndorseAlias(Fact, frozen=True, kw_only=True):
    """The registrar endorses an alias as some member's, for one circle. `circle`: the registrar's home.

    `proof`: by the alias's key. `owner`: whose it is, which its circle is shown. `for_circle`: the only circle in which
    it may be named, which the circle's opening shows to all; before that nobody can open that circle in its place.
    """

    kind: ClassVar[str] = "parties.endorse"
    circle: Id
    alias: Id
    public_key: PublicKey
    proof: KeyProof
    owner: Commercial[Id] = WITHHELD
    for_circle: Commercial[Id] = WITHHELD


class OpenCircle(Fact, frozen=True, kw_only=True):
    """An alias opens a circle. `parties[i]` stands behind `members[i]`; the opener is the first member.

    `circle_proofs[i]`, for all to see: the disclosure, in the registrar's endorsement of `members[i]`, of the circle
    that it is for, so that nobody is named by an alias of another circle. `proofs[i]`: that of its owner, so that
    nobody can name another party behind an alias of its own. `consents[i]`: that party's consent to this circle.
    """

    kind: ClassVar[str] = "parties.open_circle"
    circle: Id
    purpose: Purpose
    members: Annotated[list[Id], Meta(min_length=1, max_length=500)]
    circle_proofs: Annotated[list[Text], Meta(min_length=1, max_length=500)]
    parties: Commercial[list[Id]] = WITHHELD
    proofs: Commercial[list[Text]] = WITHHELD
    consents: Commercial[list[Consent]] = WITHHELD
    name: Commercial[Text] = WITHHELD


class EnterCircle(Fact, frozen=True, kw_only=True):
    """A listed alias accepts a circle."""

    kind: ClassVar[str] = "parties.enter_circle"
    circle: Id


class WidenCircle(Fact, frozen=True, kw_only=True):
    """The opener of a group adds a member; `circle_proof`, `proof` and `consent` as in `OpenCircle`."""

    kind: ClassVar[str] = "parties.widen_circle"
    circle: Id
    alias: Id
    circle_proof: Text
    party: Commercial[Id] = WITHHELD
    proof: Commercial[Text] = WITHHELD
    consent: Commercial[Consent] = WITHHELD


class LeaveCircle(Fact, frozen=True, kw_only=True):
    """A member leaves a group; what it signed stands."""

    kind: ClassVar[str] = "parties.leave_circle"
    circle: Id


class SetSite(Fact, frozen=True, kw_only=True):
    """A party's place, in its home circle. Coordinates in microdegrees (WGS 84)."""

    kind: ClassVar[str] = "parties.set_site"
    circle: Id
    site: Commercial[Id] = WITHHELD
    name: Commercial[Text] = WITHHELD
    site_kind: Commercial[Literal["warehouse", "shop", "plant", "office", "van", "customer", "other"]] = WITHHELD
    country: Commercial[Country] = WITHHELD
    city: Commercial[Text] = WITHHELD
    latitude_microdeg: Commercial[Microdegrees] = WITHHELD
    longitude_microdeg: Commercial[Microdegrees] = WITHHELD
    address: Personal[Text] = WITHHELD


class AppointStaff(Fact, frozen=True, kw_only=True):
    """Who acts for a party, in its home circle. `approval_limit_minor`: the largest order that this person may send."""

    kind: ClassVar[str] = "parties.appoint"
    circle: Id
    person: Commercial[Id] = WITHHELD
    role: Commercial[Role] = WITHHELD
    approval_limit_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    active: Commercial[bool] = WITHHELD
    full_name: Personal[Text] = WITHHELD


class SetPermit(Fact, frozen=True, kw_only=True):
    """An owner says, in its home, to whom it sells: the narrowest matching permit counts, none means yes.

    `partner`: a party or "*". `scope`: "*", "brand:NAME" or "category:NAME".
    """

    kind: ClassVar[str] = "parties.set_permit"
    circle: Id
    permit: Commercial[Id] = WITHHELD
    partner: Commercial[Text] = WITHHELD
    scope: Commercial[Text] = WITHHELD
    allow: Commercial[bool] = WITHHELD


class AuthoriseChannel(Fact, frozen=True, kw_only=True):
    """A brand's owner authorises a party to sell the brand. Public, as dealer lists are. `countries` empty: all."""

    kind: ClassVar[str] = "parties.authorise"
    brand: Text
    party: Id
    countries: Annotated[list[Country], Meta(max_length=250)] = []
    until_at: Seconds = FOREVER


class Network(Row, frozen=True, kw_only=True):
    one: int = 1
    name: str
    registrar: str
    founded_at: int


class Party(Row, frozen=True, kw_only=True):
    party: str
    name: str
    party_kind: str
    country: str
    city: str
    about: str = ""
    joined_at: int


class Key(Row, frozen=True, kw_only=True):
    """A public key (base64url), whose it is, and from when until when it speaks (UTC seconds)."""

    kid: str
    owner: str
    public_key: str
    from_at: int
    until_at: int = FOREVER
    compromised: bool = False


class Invitation(Row, frozen=True, kw_only=True):
    invitation: str
    inviter: str
    expires_at: int
    used_by: str = ""


class Alias(Row, frozen=True, kw_only=True):
    """`digests`: of the endorsement's disclosures, which prove whose alias it is and for which circle. `kid`: its first
    key's. `circle`: the circle in which it was named, "" before; it is named once, so who has left is not drawn back.
    """

    alias: str
    kid: str
    digests: tuple[str, ...]
    endorsed_at: int
    circle: str = ""


class Circle(Row, frozen=True, kw_only=True):
    """`members`: aliases, the opener first. `entered`: those that accepted, sorted."""

    circle: str
    purpose: str
    members: tuple[str, ...]
    entered: tuple[str, ...]


class Channel(Row, frozen=True, kw_only=True):
    brand: str
    party: str
    authoriser: str
    countries: tuple[str, ...]
    until_at: int


class Member(Row, frozen=True, kw_only=True):
    """Who stands behind an alias, known in the circle."""

    circle: str
    alias: str
    party: str


class CircleName(Row, frozen=True, kw_only=True):
    circle: str
    name: str


class Home(Row, frozen=True, kw_only=True):
    """The home circle of a party."""

    circle: str
    party: str


class AliasOwner(Row, frozen=True, kw_only=True):
    """What the registrar knows, in its home."""

    circle: str
    alias: str
    owner: str


class Site(Row, frozen=True, kw_only=True):
    circle: str
    site: str
    party: str
    name: str
    site_kind: str
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int


class Staff(Row, frozen=True, kw_only=True):
    circle: str
    person: str
    role: str
    approval_limit_minor: int
    currency: str
    active: bool


class Permit(Row, frozen=True, kw_only=True):
    circle: str
    permit: str
    partner: str
    scope: str
    allow: bool


NETWORK = Table("parties_network", Network, ("one",))
PARTIES = Table("parties_party", Party, ("party",))
KEYS = Table("parties_key", Key, ("kid",), index=[("owner",)])
INVITATIONS = Table("parties_invitation", Invitation, ("invitation",))
ALIASES = Table("parties_alias", Alias, ("alias",))
CIRCLES = Table("parties_circle", Circle, ("circle",))
CHANNELS = Table("parties_channel", Channel, ("brand", "party"))
MEMBERS = Table("parties_member", Member, ("circle", "alias"), index=[("party",)], circle=True)
CIRCLE_NAMES = Table("parties_circle_name", CircleName, ("circle",), circle=True)
HOMES = Table("parties_home", Home, ("circle",), index=[("party",)], circle=True)
ALIAS_OWNERS = Table("parties_alias_owner", AliasOwner, ("circle", "alias"), circle=True)
SITES = Table("parties_site", Site, ("circle", "site"), circle=True)
STAFF = Table("parties_staff", Staff, ("circle", "person"), circle=True)
PERMITS = Table("parties_permit", Permit, ("circle", "permit"), circle=True)
