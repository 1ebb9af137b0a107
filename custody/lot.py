"""A lot's facts, added up in canonical order.

``apply`` takes one fact that comes after all others; ``refold`` starts again from all facts. Both
run the same code per fact in the same order, so a lot folded fact by fact and a lot folded anew
are equal to the last bit.
"""

from collections.abc import Sequence

from custody.rows import Basis, Book, Certificate, FactRow, Fed, Leg, Mass, Shots, Trip

CERTIFICATES_MAX = 64
"""Certificates kept by a lot; the lowest and oldest go first."""

MOVES = ("dispatch", "receipt")
"""Shipment records that move a lot; checkpoints and borders only see it."""

INFERRED = "~"
"""First character of a trip's name where no movement_id joined its ends."""


def refold(facts: Sequence[FactRow]) -> Book:
    """Return the book of facts.

    Args:
        facts: Standing facts in canonical order.
    """
    book = Book()
    for fact in facts:
        apply(book, fact)
    return book


def apply(book: Book, fact: FactRow) -> None:
    """Add a fact to a book whose containers the caller owns.

    Args:
        book: The book; changed in place.
        fact: A standing fact, not before any other in canonical order.
    """
    if book.first is None:
        book.first = fact.head
    if fact.scanned is not None:
        _scan(book, fact)
    elif fact.weighed is not None:
        _weigh(book, fact)
    elif fact.moved is not None:
        _move(book, fact)
    elif fact.assayed is not None:
        _assay(book, fact)
    elif fact.side is not None:
        head = fact.head
        book.inputs.append(Fed(head.event_id, head.at, head.known, head.site, fact.side))
    elif fact.declared is not None:
        book.declared = fact.declared
        book.declared_by = fact.head


def _scan(book: Book, fact: FactRow) -> None:
    head, scanned = fact.head, fact.scanned
    assert scanned is not None
    key = series_of(fact)
    shots = book.shots.get(key)
    sums = {} if shots is None else dict(shots.sums)
    for analyte, (fraction, var) in scanned.results.items():
        before = sums.get(analyte)
        if before is None:
            sums[analyte] = (1, fraction, var)
        else:
            sums[analyte] = (before[0] + 1, before[1] + fraction, before[2] + var)
    book.shots[key] = Shots(
        head.site,
        scanned.device,
        scanned.dry,
        head.event_id,
        head.at,
        head.known,
        1 if shots is None else shots.taken + 1,
        sums,
    )


def _assay(book: Book, fact: FactRow) -> None:
    head, assayed = fact.head, fact.assayed
    assert assayed is not None
    book.certificates.append(Certificate(head.event_id, head.at, head.known, head.site, assayed))
    if len(book.certificates) > CERTIFICATES_MAX:
        # Canonical order is kept; the first of the lowest stage is the least of all.
        book.certificates.remove(min(book.certificates, key=lambda c: c.assayed.stage))


def _weigh(book: Book, fact: FactRow) -> None:
    head, weighed = fact.head, fact.weighed
    assert weighed is not None
    mass = Mass(head.event_id, head.at, head.known, head.site, _basis_now(book), weighed)
    if weighed.purpose == "stock":
        first = book.stock.get(head.site)
        book.stock[head.site] = (mass if first is None else first[0], mass)
        return
    if weighed.purpose not in MOVES:
        return
    departs = weighed.purpose == "dispatch"
    name = weighed.movement or _inferred(book, weighed.vehicle, departs=departs, weighing=True)
    trip = book.trips.get(name) or Trip(inferred=weighed.movement is None)
    book.trips[name] = trip._replace(dispatch=mass) if departs else trip._replace(receipt=mass)


def _move(book: Book, fact: FactRow) -> None:
    head, moved = fact.head, fact.moved
    assert moved is not None
    if moved.kind not in MOVES:
        return
    departs = moved.kind == "dispatch"
    name = moved.movement or _inferred(book, moved.vehicle, departs=departs, weighing=False)
    trip = book.trips.get(name) or Trip(inferred=moved.movement is None)
    if departs:
        leg = Leg(head.event_id, head.at, head.known, moved.from_site or head.site, moved.to_site)
        book.trips[name] = trip._replace(left=leg)
    else:
        leg = Leg(head.event_id, head.at, head.known, moved.from_site, moved.to_site or head.site)
        book.trips[name] = trip._replace(arrived=leg)


def _inferred(book: Book, vehicle: str | None, *, departs: bool, weighing: bool) -> str:
    """Return the trip that a record without movement_id belongs to, by vehicle and order.

    It joins the vehicle's oldest trip that lacks this record and has nothing later; where there
    is none it begins a trip.
    """
    stem = f"{INFERRED}{vehicle or ''}/"
    own = [name for name in book.trips if name.startswith(stem)]
    for name in own:
        trip = book.trips[name]
        arrived = trip.receipt is not None or trip.arrived is not None
        if departs:
            taken = arrived or (trip.dispatch if weighing else trip.left) is not None
        else:
            taken = (trip.receipt if weighing else trip.arrived) is not None
        if not taken:
            return name
    return f"{stem}{len(own) + 1}"


def _basis_now(book: Book) -> int:
    """Return the index of what is known of the material now, adding it where it is news."""
    basis = basis_of(book)
    if not book.bases or book.bases[-1] != basis:
        book.bases.append(basis)
    return len(book.bases) - 1


def best_certificates(
    certificates: Sequence[Certificate],
) -> tuple[Certificate | None, dict[str, Certificate]]:
    """Return the certificate that speaks for moisture, and for each analyte.

    The highest stage speaks, and within it the newest.

    Args:
        certificates: In canonical order.
    """
    moisture: Certificate | None = None
    grades: dict[str, Certificate] = {}
    for certificate in certificates:
        assayed = certificate.assayed
        if assayed.moisture is not None and (
            moisture is None or assayed.stage >= moisture.assayed.stage
        ):
            moisture = certificate
        for analyte in assayed.results:
            before = grades.get(analyte)
            if before is None or assayed.stage >= before.assayed.stage:
                grades[analyte] = certificate
    return moisture, grades


def book_analytes(book: Book, assayed: dict[str, Certificate]) -> list[str]:
    """Return the analytes whose metal is kept, sorted.

    Declared and assayed ones; shots see many more, and count where nobody declared or assayed
    anything.
    """
    names = set(assayed)
    if book.declared is not None:
        names.update(book.declared.composition)
    if not names:
        for shots in book.shots.values():
            names.update(shots.sums)
    return sorted(names)


def series_of(fact: FactRow) -> str:
    """Return the name of the series a shot belongs to: site, device and basis."""
    scanned = fact.scanned
    assert scanned is not None
    return f"{fact.head.site}|{scanned.device}|{'d' if scanned.dry else 'w'}"


def first_shots(book: Book, analyte: str) -> Shots | None:
    """Return the shots that speak for an analyte without a certificate: the first series.

    That of the sender, as a rule. Later series are what the tests hold against it; were they to
    speak, each shot of each receiver would restate the book by its own instrument's bias.
    """
    return next((shots for shots in book.shots.values() if analyte in shots.sums), None)


def booked_series(book: Book) -> set[str]:
    """Return the series of shots that decide a metal of the book: where no certificate does."""
    assayed = best_certificates(book.certificates)[1]
    names = [name for name in book_analytes(book, assayed) if name not in assayed]
    found: set[str] = set()
    for name in names:
        series = next((key for key, shots in book.shots.items() if name in shots.sums), None)
        if series is not None:
            found.add(series)
    return found


def basis_of(book: Book) -> Basis:
    """Return what is known of a lot's material: certificates, else shots, else the declaration."""
    moisture_by, assayed = best_certificates(book.certificates)
    basis = Basis(None if moisture_by is None else moisture_by.assayed.moisture, {}, {})
    for analyte in book_analytes(book, assayed):
        certificate = assayed.get(analyte)
        if certificate is not None:
            value = certificate.assayed.results[analyte]
            (basis.dry if value.dry else basis.as_is)[analyte] = value.fraction
            continue
        shots = first_shots(book, analyte)
        if shots is not None:
            count, fractions, _ = shots.sums[analyte]
            (basis.dry if shots.dry else basis.as_is)[analyte] = fractions / count
        elif book.declared is not None:
            declared = book.declared.composition[analyte]
            (basis.dry if declared.dry else basis.as_is)[analyte] = declared.fraction
    return basis
