"""Whose eyes a visitor of the demo may borrow. Accounts without passwords: nobody signs in with them from outside."""

from __future__ import annotations

from msgspec import Struct

from hanse.web import AccountStore, DemoRole


class Person(Struct, frozen=True):
    """A person of the demo: for which party, in which role, and what the bar calls them."""

    party: str
    name: str
    email: str
    role: str
    label: str
    approval_limit_minor: int | None = None


PEOPLE = (
    Person("werft-wismar", "Karin Petersen", "karin@werft-wismar.example", "owner", "Customer: Werft Wismar"),
    Person("trave-technik", "Henrik Brandes", "henrik@trave-technik.example", "owner", "Distributor: Trave Technik"),
    Person("warnow-bedarf", "Ole Jansen", "ole@warnow-bedarf.example", "owner", "Lender: Warnow Bedarf"),
    Person("alster-industrie", "Britta Kröger", "britta@alster-industrie.example", "owner", "Competitor: Alster"),
    Person("nordlager", "Astrid Nyberg", "astrid@nordlager.example", "owner", "Maker: Nordlager"),
    Person("anna-brandt", "Anna Brandt", "anna@brandt.example", "owner", "Solo: Anna Brandt"),
    Person("hanse-group", "Jürgen Wullenwever", "juergen@hanse-technik.example", "owner", "Group manager"),
    Person("trave-technik", "Mia Voss", "mia@trave-technik.example", "warehouse", "Warehouse: Trave Technik"),
)


def seat(accounts: AccountStore) -> list[DemoRole]:
    """Give every person of the demo an account, where it has none; the roles of the bar, in order."""
    roles = []
    for person in PEOPLE:
        known = accounts.user_by_email(person.email)
        user = known.id if known else accounts.add_user(person.email, person.name)
        accounts.add_membership(user, person.party, person.role, person.approval_limit_minor)
        roles.append(DemoRole(user, person.label))
    return roles
