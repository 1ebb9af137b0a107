from dataclasses import replace

import pytest

from custody.events import Micros
from custody.records import AttributeAmount, Balance, Metal, Part
from runtime.cli.figures import TONNE, Figure, balance_rows, combined, measured, named_parts, total


def a_balance(
    *,
    place: str = "MINE-KOV",
    wet_g: int = 30_000_000,
    parts: tuple[Part, ...] = (),
    u_random_g: float = 0.0,
) -> Balance:
    return Balance(
        sender="worker/0",
        n=1,
        owner="lot/L-1",
        account=f"lot/L-1/{place}",
        lot_id="L-1",
        process_id=None,
        place=place,
        status="weighed",
        at=Micros(0),
        known_at=Micros(0),
        mass_wet_g=wet_g,
        mass_wet_u_random_g=u_random_g,
        mass_wet_u_systematic_g=parts,
        moisture_fraction=0.08,
        moisture_u_fraction=0.0025,
        mass_dry_g=27_600_000,
        mass_dry_u_random_g=0.0,
        mass_dry_u_systematic_g=(),
        metals=(Metal(analyte="Cu", value_mg=690_000_000, u_random_mg=3e6, u_systematic_mg=()),),
        origins=(),
    )


def test_one_place_is_a_row_per_quantity_in_units_people_use() -> None:
    rows = balance_rows([a_balance(u_random_g=3000, parts=(Part(source="WB-1", u=4000.0),))])
    assert [(r["quantity"], r["value"], r["unit"]) for r in rows] == [
        ("wet", "30.000", "t"),
        ("moisture", "8.00", "%"),
        ("dry", "27.600", "t"),
        ("Cu", "690.00", "kg"),
    ]
    assert (rows[0]["u"], rows[0]["u_random"], rows[0]["u_systematic"]) == (
        "0.005",
        "0.003",
        "WB-1 0.004",
    )
    assert rows[1]["u"] == "0.25"


def test_totals_come_last_and_only_where_there_are_several_places() -> None:
    rows = balance_rows([a_balance(), a_balance(place="transit", wet_g=10_000_000)])
    assert [r["place"] for r in rows][-3:] == ["total"] * 3
    assert rows[-3]["value"] == "40.000"


def test_random_parts_add_in_squares_and_shared_sources_straight() -> None:
    scale = Part(source="WB-1", u=4.0)
    summed = total([Figure(10, 3.0, (scale,)), Figure(20, 4.0, (scale, Part(source="L", u=1.0)))])
    assert summed.value == 30
    assert summed.u_random == 5.0
    assert {p.source: p.u for p in summed.parts} == {"WB-1": 8.0, "L": 1.0}
    assert combined(summed) == pytest.approx((25 + 64 + 1) ** 0.5)


def test_a_rest_of_sources_may_be_any_of_the_named_ones() -> None:
    parts = (Part(source="WB-1", u=3.0), Part(source="other", u=4.0))
    assert combined(Figure(10, 24.0, parts)) == 25.0


def test_many_sources_are_named_by_size_and_counted() -> None:
    parts = tuple(Part(source=f"S{i}", u=1e6 * i) for i in range(1, 6))
    row = balance_rows([a_balance(parts=parts)])[0]
    assert row["u_systematic"] == "S5 5.000, S4 4.000, S3 3.000, and 2 more"


def test_a_scale_that_cancels_between_two_places_is_not_named_of_both() -> None:
    left = Figure(40, 0.0, (Part(source="WB-1", u=49e3), Part(source="WB-2", u=-29e3)))
    gone = Figure(60, 0.0, (Part(source="WB-2", u=29e3),))
    assert named_parts(left.parts, TONNE) == "WB-1 0.049, WB-2 -0.029"
    assert named_parts(total([left, gone]).parts, TONNE) == "WB-1 0.049"


@pytest.mark.parametrize(
    ("value", "u", "unit", "shown"),
    [
        (-0.05, 0.002088, "fraction", "-5.00 ± 0.21 %"),
        (-1500.4, 43.4, "kg", "-1,500 ± 43 kg"),
        (0.5, 0.0, "kg", "0.500 ± 0.000 kg"),
    ],
)
def test_a_size_is_written_as_far_as_it_is_known(
    value: float, u: float, unit: str, shown: str
) -> None:
    assert measured(value, u, unit) == shown


def test_a_metal_nobody_measured_says_so_also_where_it_is_a_part_of_a_total() -> None:
    def split(place: str, **expected: bool) -> Balance:
        return replace(
            a_balance(place=place),
            metals=tuple(
                Metal(analyte=a, value_mg=10**6, u_random_mg=1.0, u_systematic_mg=(), expected=e)
                for a, e in expected.items()
            ),
        )

    rows = balance_rows(
        [split("A", Cu=True, Co=True, Zn=False), split("B", Cu=True, Co=False, Zn=False)]
    )
    assert [r["quantity"] for r in rows if r["unit"] == "kg"] == [
        "Cu (expected)", "Co (expected)", "Zn", "Cu (expected)", "Co", "Zn",
        "Cu (expected)", "Co (partly expected)", "Zn",
    ]  # fmt: skip


def test_what_travels_with_the_mass_is_shown_with_its_quality_and_added_up() -> None:
    def emitted(place: str, kg: int, quality: str) -> Balance:
        ghg = AttributeAmount(name="ghg", unit="kgCO2e", quality=quality, value_micro=kg * 10**6)
        return replace(a_balance(place=place), attributes=(ghg,))

    rows = balance_rows(
        [emitted("A", 1_500, "declared"), emitted("B", 500, "declared"), emitted("C", 7, "default")]
    )
    shown = [(r["place"], r["quantity"], r["value"]) for r in rows if r["unit"] == "kgCO2e"]
    assert shown == [
        ("A", "ghg (declared)", "1,500.000"),
        ("B", "ghg (declared)", "500.000"),
        ("C", "ghg (default)", "7.000"),
        ("total", "ghg (declared)", "2,000.000"),
        ("total", "ghg (default)", "7.000"),
    ]
