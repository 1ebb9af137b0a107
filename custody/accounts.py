"""Accounts: paths that say what holds an amount.

An account is a value, never a Kafka key. Amounts move between accounts and nothing else changes
them, so the sum over all accounts is zero.
"""

TRANSIT = "transit"
"""Place of a lot that has left one site and not reached the next."""


def lot(lot_id: str, place: str) -> str:
    """Return the account of a lot at a site or in transit."""
    return at("lot/" + lot_id, place)


def at(owner: str, place: str) -> str:
    """Return the account of an owner at a place.

    A site may be a URI and a lot's id may have slashes too, so the place's own are percent-encoded:
    what follows the last slash is the place, and no two lots share an account.
    """
    return f"{owner}/{place.replace('%', '%25').replace('/', '%2F')}"


def place(account: str) -> str:
    """Return the place that an account of a lot names, as ``lot`` was given it."""
    return account.rpartition("/")[2].replace("%2F", "/").replace("%25", "%")


def process(process_id: str) -> str:
    """Return the account of what is in a process."""
    return f"process/{process_id}"


def conversion(process_id: str) -> str:
    """Return the account of what a chemical process turns into something else."""
    return f"conversion/{process_id}"


def loss(process_id: str, kind: str) -> str:
    """Return the account of a declared loss."""
    return f"loss/{process_id}/{kind}"


def unaccounted(where: str) -> str:
    """Return the account of differences nobody declared: of a route, a lot or a process."""
    return f"unaccounted/{where}"


def origin(site_id: str) -> str:
    """Return the account a lot comes from when it is first weighed."""
    return f"origin/{site_id}"


def outside(party: str) -> str:
    """Return the account of a party that keeps no books with us."""
    return f"outside/{party}"
