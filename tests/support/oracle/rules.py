"""Which rules of docs/ledger.md the core is held to so far.

A rule the core does not follow yet is False: the generator leaves out what would show it, and the
comparison leaves out what it would change. The examples made by hand hold for all of them.
"""

RULES: dict[str, bool] = {
    # Generator: what histories hold.
    "references_any_time": True,
    "reference_conflicts": True,
    "contracts": True,
    "several_laboratories": True,
    "stockpiles": True,
    "trade": True,
    "added": True,
    "process_references": True,
    "kinds_differ": True,
    # Model: postings that are made.
    "measured_outputs": True,
    "continuous": True,
    "rounding_to_last": True,
    "key_analyte_weights": True,
    # Comparison: what must be equal beside masses, metals and origins.
    "attributes": True,
    "metal_origins": True,
    "shares": True,
    "findings": True,
}
