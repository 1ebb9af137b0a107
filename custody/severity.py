"""How bad an alert is: one table.

Of a test of a lot: what is at stake, and whether somebody can still lay hands on it. At stake is
size x probability x value of the lot at reference prices; without a price of any of its metals it
is size x probability, a share of the metal. An exact rule says nothing of how much, and has a
severity of its own.

Source:
    docs/detection/severity.md
"""

from collections.abc import Mapping

CRITICAL, HIGH, MEDIUM, LOW = "critical", "high", "medium", "low"
RANKS = (LOW, MEDIUM, HIGH, CRITICAL)
"""From the least on."""

TABLE = (
    (6_500.0, 0.10, CRITICAL, HIGH),
    (2_000.0, 0.03, HIGH, MEDIUM),
    (650.0, 0.01, MEDIUM, LOW),
)
"""At stake at least: money, or, where nothing has a price, a share of the metal; then severity
while the material can be stopped, and afterwards. Less than any is low."""

BY_RULE: Mapping[str, str] = {
    "chain_broken": CRITICAL,
    "event_id_conflict": CRITICAL,
    "history_rewritten": CRITICAL,
    "hold_breached": CRITICAL,
    "certificate_reused": HIGH,
    "double_receipt": HIGH,
    "instrument_bias": HIGH,
    "input_unaccounted": HIGH,
    "metal_exceeds_mass": HIGH,
    "missing_receipt": HIGH,
    "output_exceeds_content": HIGH,
    "output_exceeds_input": HIGH,
    "overdrawn": HIGH,
    "route_loss": HIGH,
    "sequence_gap": HIGH,
    "sequence_reused": HIGH,
    "signature_invalid": HIGH,
    "seal_changed": HIGH,
    "seal_reused": HIGH,
    "stock_unaccounted": HIGH,
    "tag_reused": HIGH,
    "two_places": HIGH,
    "vehicle_in_two_places": HIGH,
    "beyond_seal": MEDIUM,
    "certificates_disagree": MEDIUM,
    "correction_conflict": MEDIUM,
    "cycle_or_too_deep": MEDIUM,
    "document_expired": MEDIUM,
    "fractions_exceed_one": MEDIUM,
    "impossible_speed": MEDIUM,
    "lot_redeclared": MEDIUM,
    "origin_country_differs": MEDIUM,
    "output_without_lot": MEDIUM,
    "side_of_other_kind": MEDIUM,
    "site_silent": MEDIUM,
    "stated_dry_differs": MEDIUM,
    "too_many_certificates": MEDIUM,
    "too_many_sides": MEDIUM,
    "umpire_due": MEDIUM,
    "unknown_gateway": MEDIUM,
    "weighed_twice": MEDIUM,
    "correction_target_unseen": LOW,
    "device_out_of_calibration": LOW,
    "received_late": LOW,
    "shot_gated": LOW,
    "too_many_stocks": LOW,
    "void_of_void": LOW,
}
"""Severity of exact rules; one that is not named is ``MEDIUM``."""


def of_rule(rule: str) -> str:
    """Return how bad it is that an exact rule has found something."""
    return BY_RULE.get(rule, MEDIUM)


def at_stake(size: float, probability: float) -> float:
    """Return the share of a lot that is at stake: size x probability, and never more than all.

    Args:
        size: What is suspected, as a fraction of the mass or the composition; of either sign.
        probability: Of the family that is named, among all.
    """
    return min(abs(size), 1.0) * probability


def of_lot(size: float, probability: float, value: float | None, *, stoppable: bool) -> str:
    """Return how bad a suspicion about a lot is.

    Args:
        size: What is suspected, as a fraction of the mass or the composition; of either sign.
        probability: Of the family that is named, among all.
        value: Of the metals that were sent; None where none has a price.
        stoppable: Somebody can still lay hands on it.
    """
    share = at_stake(size, probability)
    for money, metal, before, after in TABLE:
        stake, limit = (share, metal) if value is None else (share * value, money)
        if stake >= limit:
            return before if stoppable else after
    return LOW


def is_worse(now: str, before: str) -> bool:
    """Tell whether a severity is worse than another; one that nobody knows is the least."""
    return _rank(now) > _rank(before)


def _rank(name: str) -> int:
    return RANKS.index(name) if name in RANKS else 0
