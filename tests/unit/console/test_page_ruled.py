"""What each rule of the catalogue has found, said with its figures in every language."""

import ast
import re
from functools import cache

import pytest

from console.wording import LANGUAGES
from custody.alerts import CHARTS
from custody.findings import QUIET
from custody.severity import BY_RULE
from tests.support import tree
from tests.support.page_engine import Pages

RULED = 'sentences.map((one) => moduleOf("ruled.js").ruled(one))'

_PLACE = "event 0199-ab, custody.fact.v1/3@88121"
FOUND: dict[str, list[str]] = {
    "beyond_seal": [
        ("facts came after the lot had 500, and not last, or would have begun a trip beyond 8000;"
        " they are not booked")
    ],
    "certificate_reused": [
        "certificate C-7 of LAB-1 stands for lots L-1 and L-2",
        "certificate C-7 of LAB-1 stands for samples S-1 and S-2 of lot L-1",
    ],
    "certificates_disagree": [
        ("laboratories do not agree: Cu: LAB-1 2.5000%, LAB-2 2.6000% (chi-square 12.3);"
        " Zn: LAB-1 1.0000%, LAB-2 1.2500% (chi-square 20.0); the newest is booked")
    ],
    "chain_broken": [
        (f"record 7 ({_PLACE}): it came without the digests that a gateway sends with each record"
        " (headers prev and digest, 32 bytes each): its gateway did not write it"),
        (f"record 7 of epoch 1 ({_PLACE}): it came without the digests that a gateway sends with"
        " each record (headers prev and digest, 32 bytes each): its gateway did not write it"),
        f"record 7 ({_PLACE}): its bytes do not make the digest it was sent with: it was changed",
        (f"record 7 ({_PLACE}) was written on another record than record 6 that stands before it:"
        " exchanged"),
        (f"record 7 ({_PLACE}) was written on another record than record 6"
        " (custody.fact.v1/3@88120) that stands before it: exchanged"),
        (f"record 7 ({_PLACE}) stands before records with lower numbers in its partition: the order"
        " was changed"),
        (f"record 7 of epoch 1 ({_PLACE}): its gateway signed 9 records of epoch 2 when it was"
        " there already, and it is none of them"),
    ],
    "correction_conflict": [
        "e-1 has 2 corrections; the one recorded last counts",
        "More than one correction speaks for this side; the newest counts.",
    ],
    "correction_target_unseen": [
        "e-2 corrects e-1, which was never seen",
        "It corrects a side that has not been seen; it stands for itself.",
    ],
    "cycle_or_too_deep": [
        "process P-1: more than 64 handings",
        "More than 64 handings in a row: what this output moved last stays.",
    ],
    "device_out_of_calibration": ["WB-1 weighed out of calibration; its u is widened"],
    "document_expired": ["permit Q-1 travelled with the lot after its last day, 2026-11-07"],
    "double_receipt": ["trip M-1 was received at DEPOT and PORT; one load comes to one site"],
    "fractions_exceed_one": [
        "Cu 60.00%, Zn 60.00% of the dry matter, together 120.00%",
        "Cu 60.00%, Zn 60.00% and 2 more of the dry matter, together 120.00%",
        "Cu 102.11% of the dry matter, together 102.11%, by the usual moisture of 5.0%",
        "no share of 0 to 1, not counted: recycled 1.4 fraction, verified 101 pct and 2 more",
    ],
    "event_id_conflict": [
        ("two events have one id; the earlier counts, by gateway GW-1 of site MINE; the later does"
        " not, by a gateway not noted of site PORT; they differ in net, ticket"),
        "3 more ids have two events; the earlier of each counts",
        ("two events have one id; the earlier counts, by gateway GW-1 of site MINE; the later does"
        " not, by gateway GW-2 of site PORT; they differ in net; 3 more ids have two events; the"
        " earlier of each counts"),
    ],
    "history_rewritten": [
        ("its own head says of the first 9 records of epoch 1 what those that are stored do not"
        " make: they are not the ones it was signed over"),
        ("a head signed by GW-2 says of the first 9 records of epoch 1 what those that are stored"
        " do not make: they are not the ones it was signed over"),
    ],
    "hold_breached": [
        "trip M-1 left MINE while olga held the lot",
        ("trip M-1 left MINE while olga held the load; otto's release of load M-2 names this hold"
        " and does not end it"),
        "an input of process P-1 was taken while olga held the lot",
    ],
    "impossible_speed": [
        "trip M-1 came to DEPOT 2.0 h before it left MINE",
        "trip M-1: 1,311 km from MINE to DEPOT in 1.0 h; the limit is 130 km/h in a straight line",
    ],
    "input_unaccounted": [
        ("More than half of it went nobody says where: 5.000 t of 9,000.250 t of dry mass,"
        " 1.250 kg of 2.000 kg of Cu.")
    ],
    "lot_redeclared": ["declared 2 times with different content; the last one counts"],
    "metal_exceeds_mass": [
        ("900.000 kg of Cu, 200.000 kg of Zn in 1.000 t of dry mass: nothing holds more metal than"
        " its own mass.")
    ],
    "missing_receipt": [
        "trip M-1 left MINE and had 12.5 h to come to DEPOT; nothing there says that it came"
    ],
    "origin_country_differs": ["CD is declared at MINE, which lies in ZM; CD counts"],
    "output_exceeds_content": ["12.500 t of dry mass went out of 10.000 t that were there."],
    "output_exceeds_input": [
        "More went out than came in: 1.250 t of dry mass, 3.500 kg of Cu.",
        "More went out than came in: 1.250 t of dry mass, and the process is open.",
    ],
    "output_without_lot": ["The output names no lot; it stays in the process."],
    "overdrawn": ["DEPOT: 1.250 t more went out than came in"],
    "seal_changed": ["trip M-1 left with seals S-1, S-2 and came with S-9"],
    "seal_reused": [
        ("seal S-1 sealed two loads that have nothing to do with each other: lot L-1 from MINE and"
        " lot L-2 from unknown")
    ],
    "sequence_gap": [
        "record 5 of epoch 1 is not there",
        "records 5 to 9 of epoch 1 are not there",
    ],
    "sequence_reused": [
        "number 5 of epoch 1 stands twice: custody.fact.v1/3@7 and custody.fact.v1/3@9",
        ("GW-1: two heads say different things of the first 9 records: two gateways write under one"
        " name, as after a disk was copied"),
    ],
    "shot_gated": [
        f"XRF-1 at MINE: a shot {why} (chi-square 28, limit 27); repeat it"
        for why in (
            "that the others do not agree with is not used",
            "further from all that is known of the lot than its neighbour is not used",
            "that disagrees with its only neighbour is not used, nor is that",
        )
    ],
    "side_of_other_kind": ["It names blend; most sides of the process name flotation."],
    "signature_invalid": [
        "GW-1: reference data names no key for it at the time of its head",
        ("GW-1: head of 9 records of epoch 1 was changed after it was signed, or is forged: the"
        " signature of key ab12 does not fit what the head says"),
        "GW-1: head of 9 records of epoch 1 is signed by key cd34, not by its key ab12",
        "GW-1: head of 9 records of epoch 1 is signed by nobody, not by its key ab12",
        ("GW-1: records stand under its name, and minutes later there is no head of it that signs"
        " them; the first stands at custody.fact.v1/3@7"),
    ],
    "site_silent": [
        "gateway GW-1 of MINE has sent no head for 3 minutes; what waits for it waits",
        "gateway GW-1 has sent no head for 3 minutes; what waits for it waits",
    ],
    "stated_dry_differs": [
        ("process/P-1 states 8.730 t of dry mass in 9.700 t; by the certificate it is 8.190 t"
        " (-5.1 sigma), which counts"),
        ("A side of P-1 states 9.000 t of dry mass in 10.000 t and a moisture of 50.00%, by which"
        " it is 5.000 t; the two masses count"),
    ],
    "stock_unaccounted": [
        f"A survey found 8.730 t of dry mass where 9.700 t should lie: 0.970 t {way}"
        for way in ("too little (u 0.190 t, -5.1 sigma).", "too much (u 0.190 t, +5.1 sigma).")
    ],
    "tag_reused": ["tag T-1 is declared for lots L-1 and L-2"],
    "too_many_certificates": [
        "more than 64 certificates; the oldest of the lowest stages do not count"
    ],
    "too_many_sides": ["The process has 4,096 sides already; this one changes nothing."],
    "too_many_stocks": [
        ("MINE: more than 64 stock weighings with inputs without a mass between; older inputs are"
        " taken without some")
    ],
    "two_places": ["seen at PORT while all of it was on the way from MINE to DEPOT"],
    "umpire_due": ["Cu: seller 2.5000%, buyer 2.6000%, limit 0.0500%"],
    "unknown_gateway": [
        ("GW-9: records of a gateway that reference data does not know: nobody can say whose key it"
        " has; the first stands at custody.fact.v1/3@7"),
        ("GW-9: records of a gateway that reference data does not know: nobody can say whose key it"
        " has"),
    ],
    "vehicle_in_two_places": [
        ("vehicle V-1 with lots L-1 and L-2: 1,311 km from MINE to DEPOT in 1.0 h; the limit is"
        " 130 km/h")
    ],
    "void_of_void": [
        "e-2 withdraws e-1, which itself withdraws",
        "It withdraws a withdrawal, which has no effect.",
    ],
    "weighed_twice": [
        f"trip M-1: its {end} is weighed more than once; the last one counts"
        for end in ("dispatch", "receipt")
    ],
}  # fmt: skip
"""Every sentence of every rule, as the core and the auditor write it."""


@cache
def _written() -> list[str]:
    """What the core and the auditor write between the names and figures of their sentences."""
    paths = [*(tree.ROOT / "custody").rglob("*.py"), *(tree.ROOT / "runtime/audit").rglob("*.py")]
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    # Neither whole pages of text nor signs.
    return sorted((t for t in texts if 3 <= len(t) <= 200), key=len, reverse=True)


_OURS = re.compile(r"\b(?:olga|otto|blend|flotation|permit|ticket|custody\.fact\S*)\b")


def _not_written(sentence: str) -> str:
    """Return the sentence without what its rule writes, and without names and figures."""
    sentence = _OURS.sub("|", sentence)
    for text in _written():
        sentence = sentence.replace(text, "|")
    return " ".join(re.findall(r"\b[a-z]{4,}\b", sentence))


@pytest.fixture(scope="module")
def readers() -> dict[str, Pages]:
    return {name: Pages(name) for name in LANGUAGES}


@pytest.mark.parametrize("rule", sorted(set(BY_RULE) - CHARTS - QUIET))
def test_what_every_rule_has_found_has_its_figures_in_both_languages(
    readers: dict[str, Pages], rule: str
) -> None:
    """In French it was the rule's own sentence alone: no gateway, no seal, no laboratory."""
    sentences = FOUND[rule]
    said = {name: pages.run(RULED, sentences=sentences) for name, pages in readers.items()}
    for sentence, en, fr in zip(sentences, said["en"], said["fr"], strict=True):
        assert en, sentence
        assert fr, sentence
        assert en != fr, sentence
        assert not {"{", "}"} & {*en, *fr}, fr
        assert "found." not in en + fr, fr
        figures = re.findall(r"\d+", en)
        assert figures == re.findall(r"\d+", fr), sentence


@pytest.mark.parametrize("rule", sorted(FOUND))
def test_the_sentences_here_are_those_that_are_written(rule: str) -> None:
    """Else a rule may say another one, which has no form, and nothing fails."""
    for sentence in FOUND[rule]:
        assert not _not_written(sentence), sentence


def test_french_says_who_and_how_much() -> None:
    asked = [
        FOUND["certificates_disagree"][0], FOUND["seal_reused"][0], FOUND["site_silent"][0],
        FOUND["input_unaccounted"][0], FOUND["stock_unaccounted"][0], FOUND["event_id_conflict"][2],
    ]  # fmt: skip
    assert Pages("fr").run(RULED, sentences=asked) == [
        (
            "les laboratoires ne s\u2019accordent pas : Cu : LAB-1 2,5000 %, LAB-2 2,6000 %"
            " (khi carré 12,3); Zn : LAB-1 1,0000 %, LAB-2 1,2500 % (khi carré 20,0)"
        ),
        "le scellé S-1 est sur deux chargements sans rapport : lot L-1 de MINE, lot L-2 de ?",
        "la passerelle GW-1 de MINE ne s\u2019est pas fait entendre depuis 3 minutes",
        (
            "pour plus de la moitié, personne ne dit où c\u2019est allé : 5,000 sur 9000,250 t de"
            " masse sèche, 1,250 sur 2,000 kg de Cu"
        ),
        (
            "un relevé a trouvé 8,730 t de masse sèche là où il devrait y en avoir 9,700 t :"
            " \u22120,970 t (u 0,190 t)"
        ),
        (
            "l\u2019événement de la passerelle GW-1, site MINE, compte ;"
            " celui de la passerelle GW-2, site PORT, non ; ils diffèrent par net;"
            " 3 autres identifiants ont deux événements"
        ),
    ]
