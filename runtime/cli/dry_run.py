"""What a gateway would answer, as far as that can be said without one."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from producers.judge import Terms, accept
from producers.known import Known
from producers.outcome import Code, Refusal
from runtime.client import JsonObject
from runtime.moment import now

_TERMS = Terms(gateway=("dry-run", 1), partitions=1, known=Known())


class DryGateway:
    """Judges requests as the gateway does, and remembers ids within one run only.

    It knows no reference record and nothing that was sent before: it remarks upon no unknown
    name, and what a gateway would call a duplicate is accepted here.
    """

    def __init__(self) -> None:
        self._seen: dict[str, bytes] = {}

    def publish_texts(
        self, texts: Sequence[str], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        """Return one result per request, each a JSON text, in order; nothing is kept or sent."""
        backfill = (options or {}).get("backfill") == "true"
        terms = Terms(_TERMS.gateway, _TERMS.partitions, _TERMS.known, backfill=backfill)
        return [self._answer(json.loads(text, parse_float=Decimal), terms) for text in texts]

    def _answer(self, raw: object, terms: Terms) -> JsonObject:
        outcome = accept(raw, now(), terms)
        if isinstance(outcome, Refusal):
            return outcome.answer()
        known = self._seen.setdefault(outcome.event_id, outcome.content)
        if known != outcome.content:
            return Refusal(Code.DUPLICATE_CONFLICT, "event_id", outcome.event_id).answer()
        warnings = [w.answer() for w in outcome.warnings if not w.code.startswith("unknown_")]
        answer: JsonObject = {"result": "accepted", "event_id": outcome.event_id}
        return answer | ({"warnings": warnings} if warnings else {})
