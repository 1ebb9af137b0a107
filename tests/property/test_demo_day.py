"""Laws of the generator over seeds, and that the real gateway takes what it makes."""

import json
from collections import Counter
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custody.events import Micros, ReferenceSet
from demo.day import make_day, ndjson
from demo.frauds import FAMILIES, KINDS
from demo.requests import Request
from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Refusal

NOW = Micros(1_800_000_000_000_000)
FEW = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 10**6)


@FEW
@given(SEEDS)
def test_every_day_has_its_frauds_at_sizes_that_can_be_seen(seed: int) -> None:
    day = make_day(seed)
    assert len(day.lot_ids) == 300
    assert 5_000 <= len(day.requests) <= 8_000
    assert Counter(f.kind for f in day.frauds) == Counter(KINDS)
    assert all(1.5 <= f.size / f.detectable <= 3.0 for f in day.frauds)
    for process in day.processes:
        fed = sum(lot.dry_kg for lot in process.inputs)
        assert abs(process.output.dry_kg + process.tailings_dry_kg - fed) < 1e-6 * fed


@FEW
@given(SEEDS)
def test_the_gateway_refuses_the_tonnes_and_nothing_else(seed: int) -> None:
    known = Known()
    terms = Terms(("GW-TEST", 1), 4, known, backfill=True)
    refused: list[str] = []
    warned: Counter[str] = Counter()
    for line in ndjson(make_day(seed).sent):
        outcome = accept(json.loads(line, parse_float=Decimal), NOW, terms)
        if isinstance(outcome, Refusal):
            refused.append(outcome.code)
            continue
        warned.update(warning.code for warning in outcome.warnings)
        first = outcome.drafts[0].record
        if isinstance(first, ReferenceSet):
            known.add(first)
    assert refused == ["net_mismatch"]
    assert warned == {"unknown_device": 1}


def test_a_request_carries_no_truth() -> None:
    day = make_day(3)
    words = {"theft", "water", "waste", "swap", "fraud", "stolen", "foreign", "clean", "honest"}
    words |= {"drift", "drifts", "drifting", "bias", "instrument_bias"}
    # A process is a blend, and moisture is a loss on drying: both say so.
    words |= {*FAMILIES.values(), "undeclared", "tampering"} - {"loss"}
    for request in day.sent:
        assert not words & set(_words(request)), request


def _words(request: Request) -> list[str]:
    return json.dumps(request).lower().replace('"', " ").replace(",", " ").split()
