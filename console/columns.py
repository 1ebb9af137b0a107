"""What the columns of a table are called, for a file of a table without rows.

A table with rows says it itself; a sheet or a program that reads one of a quiet day needs the
names, too. ``tests/integration/test_answers.py`` holds them against tables with rows.
"""

from collections.abc import Mapping
from types import MappingProxyType

_FURTHEST = """
    far furthest instruments furthest_quantity furthest_analyte furthest_expected
    furthest_observed furthest_u furthest_z furthest_unit evidence_rows causes way
    other_sites
"""
_ALERTS = f"""
    alert_id version state rule family severity subject lot_id process_id movement_id
    raised_at occurred_at onset_at size size_u unit statistic value threshold
    threshold_basis reason actor why assignee until resolution posterior
    {_FURTHEST}
    stake_share stake_amount stake_currency stake_analytes stake_priced_on
    stake_price_source stoppable said_at
"""
_CHANGES = f"""
    alert_id version state before statistic rule family severity subject actor reason cause
    size size_u unit
    {_FURTHEST}
    assignee assignee_before until resolution said_at
"""
_TESTS = """
    alert_id version state rule family severity subject lot_id process_id movement_id
    occurred_at raised_at onset_at size size_u unit statistic value threshold reason
    evidence
"""
"""Alerts about a thing, each with its evidence."""

_CAUSES = """
    id what event_type kind lot_id site_id occurred_at document_no void is_correction rule
    family statistic subject
"""
_HOLDS = "lot_id movement_id hold_id actor reason since"
_PERIOD = "quantity class quality unit line value u z"

_TABLES = {
    "alerts/alerts": _ALERTS,
    "alerts/calibrations": "device_id until",
    "alerts/causes": "family stations movement_id site_id probability",
    "alerts/comments": "event_id action version actor reason recorded_at",
    "alerts/detectable": "family size",
    "alerts/evidence": """
        quantity analyte expected observed u z unit event_ids instruments shift ln_ratio
        lot_id site_id occurred_at
    """,
    "alerts/facts": """
        event_id lot_id event_type kind site_id occurred_at recorded_at document_no mass_kg
    """,
    "alerts/gated": "event_id device_id site_id why value threshold",
    "alerts/posterior": "family probability ln_e",
    "alerts/retracted_by": _CAUSES,
    "alerts/versions": """
        version state family severity size size_u unit value threshold raised_by_event_id
        raised_at reason cause actor assignee until resolution said_at
    """,
    "audit/deeds": "no at actor address what about outcome",
    "charts/chart": """
        thing quantity occurred_at lot_id residual residual_u residual_u_shared explained
        sum_of_limit off_by off_by_u
    """,
    "flow/flow": "site_id flow mass_wet_kg mass_dry_kg transfers",
    "gateways/gateways": """
        gateway_id gateway_epoch sites last_head_at silent_s head_seq stored_seq complete_seq
        complete_to missing signed
    """,
    "handover/changes": _CHANGES,
    "handover/deeds": """
        recorded_at actor action subject movement_id alert_id reason rule family statistic
    """,
    "handover/holds": _HOLDS,
    "handover/retracted_by": _CAUSES,
    "handover/standing": _ALERTS + " brought_by",
    "holds/holds": _HOLDS,
    "instruments/known": "kind valid_from valid_to body",
    "instruments/lots": "lot_id event_id kind document_no site_id occurred_at mass_kg",
    "instruments/seen": "site_id kind facts first_at last_at",
    "lots/attributes": "kind name label amount unit per_t_dry share_fraction",
    "lots/balance": """
        lot_id place quantity class quality unit value u u_random u_systematic u_standing
        u_known_at lots without_u
    """,
    "lots/changes": """
        known_at effective_at effective_to late_s event_type kind document_no corrects
        postings compensations change_wet_g change_dry_g change_metal_mg cause_event_id
    """,
    "lots/edges": "parent child mass_wet_g mass_dry_g metal_mg",
    "lots/facts": """
        event_type occurred_at recorded_at site_id kind document_no device_id movement_id
        process_id mass_g source_ref event_id corrects void mass_u_g stands
    """,
    "lots/history": "at place quantity class quality unit value u u_random u_standing",
    "lots/lineage": """
        direction lot_id process_id steps share_dry_fraction share_metal_fraction origins next
        held_dry_g held_metal_mg
    """,
    "lots/moisture": "place moisture_fraction moisture_u_fraction",
    "lots/movements": """
        movement_id from_site to_site counterparty left_at arrived_at vehicle_id carrier seals
        sent_g sent_u_g received_g received_u_g difference_g difference_u_g evidence
    """,
    "lots/traceability": """
        element dry_fraction metal_fraction first_gap gaps gaps_count origins_fraction
        stages_fraction
    """,
    "processes/handed": """
        direction owner effective_at known_at quantity class unit value u measured_later
    """,
    "processes/period": _PERIOD,
    "processes/sides": """
        occurred_at recorded_at site_id kind part part_no lot_id loss_kind mass_wet_kg
        mass_dry_kg moisture_fraction u_mass_kg source_ref event_id
    """,
    "processes/tests": _TESTS,
    "retractions/retracted_by": _CAUSES,
    "retractions/retractions": """
        alert_id severity statistic rule family subject state cause reason said_at
    """,
    "search/hits": "kind id lot_id process_id site_id at alert_id",
    "sites/alerts": _TESTS,
    "sites/charts": """
        device_id quantity occurred_at lot_id residual residual_u residual_u_shared explained
        sum_of_limit off_by off_by_u
    """,
    "sites/instruments": "device_id quantity lots last_at off_by off_by_u sum_of_limit",
    "sites/lots": "lot_id process_id quantity class unit value u u_known_at",
    "sites/period": _PERIOD,
    "sites/stock": "quantity class unit lots processes value u u_random quality",
}
"""Names of the columns in their order, by the first part of the address under ``/api`` and the name
of the table."""

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(text.split()) for name, text in _TABLES.items()}
)
