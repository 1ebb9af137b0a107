"""Which rules of docs/ledger.md the core is held to so far.

A rule the core does not follow yet is False: the generator leaves out what would show it, and the
comparison leaves out what it would change. The examples made by hand hold for all of them.
"""

RULES: dict[str, bool] = {
    # Generator: what histories hold.
    "references_any_time": False,
    "reference_conflicts": False,
    "contracts": False,
    "several_laboratories": False,
    "stockpiles": True,
    "trade": False,
    "added": True,
    "process_references": False,
    "kinds_differ": True,
    # Model: postings that are made.
    "measured_outputs": False,
    "continuous": False,
    "rounding_to_last": False,
    "key_analyte_weights": False,
    # Comparison: what must be equal beside masses, metals and origins.
    "attributes": False,
    "metal_origins": True,
    "shares": False,
    "findings": False,
}
