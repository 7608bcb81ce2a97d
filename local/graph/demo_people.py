"""The people of the demo tenant."""

from uuid import UUID, uuid5

from local.graph.tenant import Subject

NAMESPACE = UUID("5d0c3c0e-6f0f-4b55-9a3e-0d1f6c6f7a11")
PEOPLE = 240
DOMAIN = "contoso.com"

FIRST = (
    "Ada Amara Anders Beatriz Bilal Chiara Daniel Devi Elif Emeka Farah Finn Greta Hana Hugo Ines "
    "Ivo Jamila Joris Keiko Lars Leila Mateo Mei Nadia Nils Olga Pavel Priya Quentin Rosa Samir "
    "Sofia Tariq Uma Viktor Wanda Yusuf Zoe Zuri"
)
LAST = (
    "Abara Almeida Bauer Berg Costa Dahl Demir Eriksen Farouk Fischer Garcia Haddad Hoffmann "
    "Ibrahim Ito Jansen Kaya Keller Kowalski Larsen Lindqvist Marino Mehta Moreau Nakamura Novak "
    "Okafor Osei Petrov Quispe Rahman Rossi Sato Silva Tanaka Ueda Vargas Weber Yilmaz Zhang"
)


FIRST_NAMES = FIRST.split()
LAST_NAMES = LAST.split()


def make_id(name: str) -> str:
    """An id that is the same in every run."""
    return str(uuid5(NAMESPACE, name))


def people() -> list[Subject]:
    return [_person(number) for number in range(PEOPLE)]


def subject_id(number: int) -> str:
    return make_id(f"subject {number}")


def object_id(number: int) -> str:
    return make_id(f"person {number}")


def robot() -> Subject:
    """A subject that is no person."""
    return Subject(
        id=make_id("subject robot"),
        object_id=make_id("robot"),
        display_name="Ledger archive",
        principal_name=None,
        email=None,
        subject_type="servicePrincipal",
    )


def guest() -> Subject:
    """Invited, and not in the directory yet: there is no object id before the first sign-in."""
    return Subject(
        id=make_id("subject guest"),
        object_id=None,
        display_name=None,
        email="logistics@fabrikam.com",
        principal_name=None,
        subject_type="user",
    )


def _person(number: int) -> Subject:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    # Another step through the last names in each round, so that no full name comes twice.
    last = LAST_NAMES[(number * 7 + number // len(FIRST_NAMES)) % len(LAST_NAMES)]
    address = f"{first}.{last}@{DOMAIN}".lower()
    return Subject(
        id=subject_id(number),
        object_id=object_id(number),
        display_name=f"{first} {last}",
        email=address,
        principal_name=address,
        subject_type="user",
    )
