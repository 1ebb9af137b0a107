from dataclasses import replace
from typing import cast

import pytest

from custody.events import LotDeclared, LotWeighed
from schemas import codec
from schemas.codec import Unencodable
from schemas.limits import body_bytes_max, violation
from tests.support import golden

A_WEIGHING = cast(LotWeighed, golden.records("weighing")[0])
A_LOT = cast(LotDeclared, golden.records("lot")[0])


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (replace(A_WEIGHING, net_g=-1), "out_of_range", "net_g"),
        (replace(A_WEIGHING, net_g=1 << 63), "out_of_range", "net_g"),
        (replace(A_WEIGHING, clock_skew_ms=1 << 63), "out_of_range", "clock_skew_ms"),
        (replace(A_WEIGHING, gateway_epoch=1 << 31), "out_of_range", "gateway_epoch"),
        (replace(A_WEIGHING, density_kg_m3=float("nan")), "out_of_range", "density_kg_m3"),
        (replace(A_WEIGHING, purpose="party"), "unknown_symbol", "purpose"),
        (replace(A_LOT, tags=("t",) * 2_001), "too_many_items", "tags"),
        (
            replace(
                A_LOT,
                declared_origins=(replace(A_LOT.declared_origins[0], share=1.1),),
            ),
            "out_of_range",
            "declared_origins.share",
        ),
    ],
)
def test_a_violation_names_code_field_and_bound(
    record: LotWeighed | LotDeclared, code: str, field: str
) -> None:
    found = violation(record)

    assert found is not None
    assert (found.code, found.field) == (code, field)
    assert found.allowed


def test_a_record_at_its_limits_is_fine() -> None:
    assert violation(replace(A_WEIGHING, net_g=0)) is None


def test_a_body_leaves_room_for_its_frame() -> None:
    assert body_bytes_max("weighing") == 65_536 - 5


@pytest.mark.parametrize(
    "record",
    [
        replace(A_WEIGHING, purpose="party"),
        replace(A_WEIGHING, ticket_no=cast(str, 7)),
        replace(A_WEIGHING, ticket_no="\ud800"),
        replace(A_WEIGHING, net_g=cast(int, None)),
        replace(A_WEIGHING, net_g=1 << 64),
    ],
)
def test_what_does_not_fit_its_schema_cannot_be_encoded(record: LotWeighed) -> None:
    with pytest.raises(Unencodable, match="weighing"):
        codec.encode(record)
