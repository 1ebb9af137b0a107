"""Reference records of the demo: what is announced before the first truck moves.

They do not depend on the seed, so that a second day on the same stack finds them in place.
"""

from demo import fingerprints
from demo.plant import (
    CONCENTRATOR,
    DEPOT,
    DRYING_EXPECTED,
    LOSS_EXPECTED,
    MINES,
    PORT,
    ROUTES,
    SCALE_INTERVAL_KG,
    SCALE_REPEATABILITY_KG,
    SITES,
    SMELTER,
    XRF_BIAS_U,
    XRF_HETEROGENEITY,
    XRF_MATRIX,
    draw_plant,
    place,
)
from demo.processes import RECOVERY
from demo.requests import Request, reference_request

COUNTRY = "US"
"""ISO 3166-1 alpha-2 of every site: where a stage of the chain was done."""
CALIBRATED_UNTIL = "2031-01-01"
MOISTURE_U_METHOD = 0.002


def references() -> list[Request]:
    """Return every reference record: the plant's, and what its ore is like.

    No limit of the test of a lot is among them: the proved one holds.
    """
    parts = (_sites(), _instruments(), _laboratories(), _routes(), _material())
    return [*(record for part in parts for record in part), *fingerprints.records()]


def _sites() -> list[Request]:
    roles = dict.fromkeys(MINES, "mine") | {
        DEPOT: "depot",
        CONCENTRATOR: "concentrator",
        PORT: "port",
        SMELTER: "smelter",
    }
    return [
        reference_request(
            "site", site, {"name": place(site).title(), "role": roles[site], "country": COUNTRY}
        )
        for site in SITES
    ]


def _instruments() -> list[Request]:
    plant = draw_plant(0)
    scale: Request = {
        "class": "III",
        "interval_kg": SCALE_INTERVAL_KG,
        "repeatability_kg": SCALE_REPEATABILITY_KG,
        "calibrated_until": CALIBRATED_UNTIL,
    }
    gun: Request = {
        "class": "xrf",
        "heterogeneity_rel": XRF_HETEROGENEITY,
        "matrix_rel": XRF_MATRIX,
        "bias_rel": XRF_BIAS_U,
        "calibrated_until": CALIBRATED_UNTIL,
    }
    scales = [s.device_id for site in SITES for s in plant.scales[site]]
    guns = [g.device_id for site in SITES for g in plant.guns[site]]
    return [
        *(reference_request("device", device, {**scale}) for device in scales),
        *(reference_request("device", device, {**gun}) for device in guns),
    ]


def _laboratories() -> list[Request]:
    labs = draw_plant(0).laboratories
    body: Request = {"u_rel": 0.015, "moisture_u": MOISTURE_U_METHOD}
    return [reference_request("laboratory", labs[site].lab_id, {**body}) for site in SITES]


def _routes() -> list[Request]:
    records = []
    for route in ROUTES:
        leg = {
            "from": route.from_site,
            "to": route.to_site,
            "expected_loss": LOSS_EXPECTED,
            "expected_loss_u": LOSS_EXPECTED,
            "drying": DRYING_EXPECTED,
            "drying_u": DRYING_EXPECTED,
            "deadline_h": 12,
        }
        records.append(reference_request("route", route.route_id, {"legs": [leg]}))
    return records


def _material() -> list[Request]:
    commodity: Request = {"moisture_fraction": 0.05, "moisture_u": 0.03, "grade_u_rel": 0.2}
    concentrate: Request = {"key_analyte": "Cu", "recovery": {**RECOVERY}, "physical": True}
    return [
        reference_request("commodity", "copper_nickel", commodity),
        reference_request("process", "blend", {"physical": True}),
        reference_request("process", "concentrate", concentrate),
    ]
