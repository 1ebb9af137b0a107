"""What pages say of an alert, in each language: from its figures, and the same in both."""

import inspect
import re
from dataclasses import replace

import pytest

from console.wording import LANGUAGES
from custody import blame, reasons
from custody.alerts import CHARTS
from custody.detect import lot_drift
from custody.detect.lot_model import Drifted
from custody.events import Document, LotAssayed
from custody.findings import without
from custody.information import Cause, OtherSite
from custody.records import Alert, Evidence
from custody.severity import BY_RULE
from schemas.present import alert_line
from tests.support import golden
from tests.support.alerts import alert, symbols
from tests.support.facts import Maker
from tests.support.page_engine import PAGES, Pages
from tests.support.world import World

SHORT = (
    'alerts.map((one) => { const it = moduleOf("why.js").shortly(one);'
    " return [it.lang, it.textContent]; })"
)
FULL = 'alerts.map((one) => moduleOf("why.js").fully(one, one.evidence, one.facts))'
BLOCK = (
    'alerts.map((one) => { const it = document.createElement("p");'
    ' moduleOf("dom.js").fill(it, moduleOf("why.js").whyBlock(one, one.reason, one.evidence, []));'
    " return it.textContent; })"
)


@pytest.fixture(scope="module", params=LANGUAGES)
def pages(request: pytest.FixtureRequest) -> Pages:
    return Pages(request.param)


@pytest.fixture(scope="module")
def french() -> Pages:
    return Pages("fr")


def _cause(**changes: object) -> Cause:
    usual = Cause(
        family="foreign_material", stations=("DEPOT-LUB",), movement_id="WAY-7", site_id="MINE-RUA",
        probability=0.8,
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test names what is there


def _site(name: str, probability: float) -> OtherSite:
    return OtherSite(site_id=name, probability=probability, ln_ratios=(), spread=())


FOREIGN: dict[str, object] = {
    "family": "foreign_material", "causes": (_cause(),), "way": ("MINE-KOV", "DEPOT-LUB"),
    "other_sites": (_site("MINE-RUA", 0.6), _site("MINE-TFM", 0.2), _site("MINE-FAR", 1e-4)),
}  # fmt: skip


def _short(pages: Pages, *asked: Alert) -> list[list[str]]:
    told: list[list[str]] = pages.run(SHORT, alerts=[alert_line(one) for one in asked])
    return told


def test_a_list_says_where_on_which_trip_whose_material_and_by_what_in_both_languages() -> None:
    whole = alert("A", **FOREIGN)
    before = alert("B", **FOREIGN | {"causes": (_cause(stations=("MINE-KOV",), site_id=None),)})
    bare = alert("C", **FOREIGN | {"causes": (_cause(movement_id=None, site_id=None),), "way": ()})
    assert _short(Pages("en"), whole, before, bare) == [
        ["", ("between MINE-KOV and DEPOT-LUB, trip WAY-7, of material like that of MINE-RUA"
         " (probability 75.0\u00a0% among sites; MINE-TFM 25.0\u00a0%);"
         " most by mass, arrived / sent, WB-1 / WB-2")],
        ["", "before MINE-KOV measured it, trip WAY-7; most by mass, arrived / sent, WB-1 / WB-2"],
        ["", "from DEPOT-LUB on; most by mass, arrived / sent, WB-1 / WB-2"],
    ]  # fmt: skip
    assert _short(Pages("fr"), whole, before, bare) == [
        ["", ("entre MINE-KOV et DEPOT-LUB, trajet WAY-7, matière comme celle de MINE-RUA"
         " (probabilité 75,0\u00a0% parmi les sites\u00a0; MINE-TFM 25,0\u00a0%)\u00a0;"
         " surtout par masse, reçue / envoyée, WB-1 / WB-2")],
        ["", ("avant la mesure de MINE-KOV, trajet WAY-7\u00a0;"
         " surtout par masse, reçue / envoyée, WB-1 / WB-2")],
        ["", "à partir de DEPOT-LUB\u00a0; surtout par masse, reçue / envoyée, WB-1 / WB-2"],
    ]  # fmt: skip


def test_the_alerts_page_says_it_all_and_leaves_the_worker_nothing_to_add(pages: Pages) -> None:
    line = alert_line(alert("A", **FOREIGN | {"posterior": ()}))
    line["posterior"] = {"foreign_material": 0.99999}
    [told] = pages.run(BLOCK, alerts=[line])
    assert "sigma" not in told, "the worker's sentence"
    for name in ("MINE-KOV", "DEPOT-LUB", "WAY-7", "MINE-RUA", "MINE-TFM", "WB-1 / WB-2"):
        assert name in told
    assert "10^6" in told
    said = {"en": "It can still be stopped.", "fr": "Cela peut encore être arrêté."}
    assert told.endswith(tuple(said.values()))


def test_a_price_is_said_with_its_day_and_source(french: Pages) -> None:
    one = alert("A", stake_analytes=("Cu", "Co", "Ni"), stake_price_source="LME")
    told = french.run('moduleOf("alert_named.js").priceText(one).textContent', one=alert_line(one))
    assert told == "Cu et 2 autres, prix du 2026-11-01, LME"


def _chart(lots: int, **changes: object) -> Alert:
    rows = tuple(
        Evidence(
            quantity="ln_residual", analyte=None, expected=0.0, observed=0.005, u=0.001, z=5.0,
            unit="1", event_ids=(), instruments=("WB-HOY-1",), shift=0.0, ln_ratio=0.0,
        )
        for _ in range(lots)
    )  # fmt: skip
    usual: dict[str, object] = {
        "rule": "instrument_bias", "family": "instrument_bias", "statistic": "cusum",
        "subject": "instrument/WB-HOY-1", "lot_id": None, "movement_id": None, "size": 0.0058,
        "size_u": 0.0014, "value": 1.4, "threshold": 1.0, "evidence": rows, "causes": (),
    }  # fmt: skip
    return alert("WB", **usual | changes)


def test_an_instrument_is_named_with_how_far_it_is_off_and_over_how_many_lots(
    french: Pages,
) -> None:
    off = "indique masse 0,58\u00a0±\u00a00,14\u00a0% trop haut, sur"
    rest = "\u00a0; ses lots sont jugés sans cela."
    road = _chart(12, rule="route_loss", family="route_loss", subject="way/DEPOT-LUB>CONC-HOY")
    assert [text for _, text in _short(french, _chart(12), _chart(64), road)] == [
        f"WB-HOY-1 {off} 12 lots{rest}",
        f"WB-HOY-1 {off} 64 lots et plus{rest}",
        (
            "De DEPOT-LUB à CONC-HOY, les lots perdent en moyenne 0,58\u00a0±\u00a00,14\u00a0%"
            " de plus que prévu, sur 12 lots, et les bascules des deux bouts n\u2019y sont pour"
            " rien. Pesez un poids étalon aux deux, puis cherchez à qui cela profite."
        ),
    ]


def test_a_process_says_what_went_in_and_what_came_out(french: Pages) -> None:
    row = Evidence(
        quantity="dry_mass", analyte=None, expected=100_000.0, observed=93_000.0, u=1_200.0,
        z=-5.83, unit="kg", event_ids=(), instruments=("WB-1",), shift=0.0, ln_ratio=0.0,
    )  # fmt: skip
    said = alert(
        "P", rule="node_balance", family="missing_feed", statistic="minus_log10_p", value=6.0,
        threshold=3.0, subject="process/P-1", lot_id=None, evidence=(row,), causes=(),
    )  # fmt: skip
    [[lang, text]] = _short(french, said)
    assert (lang, text) == (
        "",
        (
            "masse sèche, WB-1 : 100\u202f000\u00a0kg à l\u2019entrée,"
            " 93\u202f000\u00a0±\u00a01200\u00a0kg à la sortie (z = \u22125,8)."
        ),
    )
    assert text in french.run(FULL, alerts=[alert_line(said)])[0]


RULED = 'sentences.map((one) => moduleOf("ruled.js").ruled(one))'


def _found_by_rules() -> dict[str, str]:
    """What the core writes of one bad lot: received twice, with other seals, declared twice."""
    world, maker = World(), Maker()
    leg, day = ("MINE", "DEPOT"), Document(type="permit", number="Q-1", issued_day=1, expires_day=2)
    world.tell(
        maker.lot("MINE", 0, {"Cu": 0.02}, tags=("T-1",)),
        maker.lot("MINE", 1, {"Cu": 0.03}, tags=("T-1",)),
        maker.weighing("MINE", 2, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 3, leg, seals=("S-1", "S-2"), documents=(day,)),
        maker.move("receipt", "DEPOT", 60, leg, seals=("S-9",)),
        maker.weighing("DEPOT", 61, "receipt", 45_000, 15_000),
        maker.weighing("PORT", 90, "receipt", 45_000, 15_000),
    )
    return {one.rule: one.reason for one in world.alerts.values() if one.statistic == "rule"}


def test_what_a_rule_found_has_its_figures_in_both_languages() -> None:
    """In French it was the rule's sentence alone: no site, no seal, no hour."""
    told = _found_by_rules() | {
        "missing_receipt": "trip M-1 left MINE and had 12.5 h to come to DEPOT; nothing there says"
        " that it came",
        "impossible_speed": "trip M-1: 1,311 km from MINE to DEPOT in 1.0 h; the limit is 130 km/h"
        " in a straight line",
        "hold_breached": "trip M-1 left MINE while olga held the lot",
        "released": "trip M-1 left MINE while olga held the lot; otto's release of load M-2 names"
        " this hold and does not end it",
        "event_id_conflict": "two events have one id; the earlier counts, by gateway GW-1 of site"
        " MINE; the later does not, by gateway GW-2 of site PORT; they differ in net, ticket",
        "stated_dry_differs": "process/P-1 states 8.730 t of dry mass in 9.700 t; by the"
        " certificate it is 8.190 t (-5.1 sigma), which counts",
        "overdrawn": "DEPOT: 1.250 t more went out than came in",
        "umpire_due": "Cu: seller 2.5000%, buyer 2.6000%, limit 0.0500%",
        "output_exceeds_content": "12.5 t of dry mass went out of 10.0 t that were there.",
    }
    assert {"double_receipt", "seal_changed", "document_expired", "lot_redeclared"} <= told.keys()
    said = {name: Pages(name).run(RULED, sentences=list(told.values())) for name in LANGUAGES}
    for rule, sentence, en, fr in zip(told, told.values(), said["en"], said["fr"], strict=True):
        assert en, (rule, sentence)
        assert re.findall(r"\w*\d\w*", en) == re.findall(r"\w*\d\w*", fr), rule
        assert en != fr
    french = dict(zip(told, said["fr"], strict=True))
    assert french["missing_receipt"] == (
        "le trajet M-1 a quitté MINE et avait 12,5 h pour arriver à DEPOT"
    )
    assert french["seal_changed"] == (
        "le trajet M-1 est parti avec les scellés S-1, S-2 et arrivé avec S-9"
    )
    assert french["overdrawn"] == "DEPOT : 1,250 t de plus sont sorties qu\u2019entrées"
    listed = _short(
        Pages("fr"),
        alert(
            "R", rule="double_receipt", family="custody_gap", statistic="rule", evidence=(),
            causes=(), reason=told["double_receipt"],
        ),
    )  # fmt: skip
    assert listed == [["", french["double_receipt"]]]


BELOW = (
    "(({ inUnits, differenceOf }) => [inUnits(row).observed, inUnits(row).expected,"
    ' differenceOf(row)])(moduleOf("measured.js"))'
)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["below 100.0\u00a0g/t", "1.832\u00a0%", "≤\u00a0\u221299\u00a0%"]),
        ("fr", ["moins de 100,0\u00a0g/t", "1,832\u00a0%", "≤\u00a0\u221299\u00a0%"]),
    ],
)
def test_what_is_below_detection_is_said_to_be_below_its_limit(
    language: str, said: list[str]
) -> None:
    row = {
        "quantity": "ln_fraction_below", "analyte": "Cu", "expected": -4.0, "observed": -9.21034,
        "u": 0.2, "unit": "1",
    }  # fmt: skip
    assert Pages(language).run(BELOW, row=row) == said


STATISTICS = {"e_value": "lot_eprocess", "minus_log10_p": "node_balance"}


def _figures(statistic: str, rule: str, family: str, size: float = -0.1) -> dict[str, object]:
    measured = {"quantity": "ln_net", "analyte": None, "z": -9.0, "ln_ratio": 20.0}
    return {
        "statistic": statistic, "rule": rule, "family": family, "size": size, "size_u": 0.01,
        "unit": "fraction", "value": 1e9, "threshold": 1e3, "posterior": {family: 0.9},
        "onset_event_id": "e", "facts": [{"event_id": "e", "site_id": "MINE-KOV"}],
        "subject": "lot/L-1", "reason": "in the words of the worker",
        "evidence": [measured | {"instruments": ["WB-1"]}],
    }  # fmt: skip


def test_why_is_in_the_readers_language_for_every_rule_and_every_family() -> None:
    families = [one for one in symbols("AlertFamily") if one not in {*CHARTS, "custody_gap"}]
    asked = [_figures("rule", rule, "custody_gap") for rule in BY_RULE if rule not in CHARTS]
    asked += [
        _figures("cusum", rule, rule, size) for rule in sorted(CHARTS) for size in (-0.1, 0.1)
    ]
    asked += [_figures(name, rule, of) for name, rule in STATISTICS.items() for of in families]
    told = {name: Pages(name).run(FULL, alerts=asked) for name in LANGUAGES}
    short = Pages("fr").run(SHORT, alerts=asked)
    for one, en, fr, (lang, brief) in zip(asked, told["en"], told["fr"], short, strict=True):
        assert en, one
        assert fr, one
        assert en != fr, one
        assert lang == "", one
        assert "worker" not in brief, one
        assert not {"{", "why.", "rule."} & set(fr.split()), fr
    loss = told["fr"][len(asked) - len(families) * 2 + families.index("loss")]
    assert loss == (
        "Il manque de la masse : \u221210,0\u00a0±\u00a01,0\u00a0% ; probabilité 90,0\u00a0% parmi"
        " ce qui a été envisagé ; E = 10^9,00, limite 10^3,00. Cela commence après MINE-KOV."
        " Surtout par masse, reçue / envoyée, WB-1."
    )


def test_the_rivals_of_a_chart_are_shown_as_the_worker_named_them() -> None:
    chart = _figures("cusum", "instrument_bias", "instrument_bias")
    reason = "WB-1 reads mass 1.00% low; of all they are off by WB-2 (mass) explains 30%"
    [alone, named] = Pages("en").run(BLOCK, alerts=[chart, chart | {"reason": reason}])
    assert "WB-2 (mass) explains 30%" in named
    assert named.startswith(alone)
    assert "in the words of the worker" not in alone


def test_of_what_nothing_tells_apart_both_are_said_and_what_to_measure() -> None:
    figures = _figures("e_value", "lot_eprocess", "water_or_waste", 0.3)
    both = figures | {"posterior": {"water": 0.5, "water_falsified": 0.1, "waste": 0.3}}
    [en] = Pages("en").run(FULL, alerts=[both])
    assert "probability 90" in en
    assert re.search(
        r"Water 60\D.*, barren material 30\D.*: nothing measured tells which\. A moisture", en
    )
    [fr] = Pages("fr").run(FULL, alerts=[both])
    assert "aucune mesure ne dit lequel" in fr


def test_what_the_figures_do_not_say_the_worker_does_marked_as_english(french: Pages) -> None:
    bare = _figures("e_value", "lot_eprocess", "loss") | {"posterior": {}, "evidence": []}
    odd = _figures("odd", "odd", "other") | {"evidence": []}
    assert french.run(FULL, alerts=[bare, odd]) == [None, None]
    assert french.run(SHORT, alerts=[bare, odd]) == [["en", "in the words of the worker"]] * 2


@pytest.mark.parametrize(
    ("problem", "detail", "said"),
    [
        ("unknown-alert", "no alert x", ["Aucune alerte ne porte cet identifiant."]),
        (
            "query-failed",
            "Unknown expression identifier `x`",
            [
                "Le moteur n\u2019a pas accepté l\u2019instruction.",
                "Dans les mots du système, en anglais : Unknown expression identifier `x`",
            ],
        ),
        ("brand-new", "what it is", ["what it is"]),
    ],
)
def test_what_went_wrong_is_said_in_french_and_the_servers_words_are_marked(
    french: Pages, problem: str, detail: str, said: list[str]
) -> None:
    told = french.run(
        'moduleOf("trouble.js").inWords({ name, message }).filter(Boolean).map('
        '(one) => [one.textContent, one.querySelectorAll("[lang]").map((it) => it.textContent)])',
        name=problem,
        message=detail,
    )
    assert [text for text, _ in told] == said
    marked = [words for _, found in told for words in found]
    assert marked == [detail for text in said if detail in text]


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        ("process P-1 has no close", "le procédé P-1 n\u2019a pas été clos"),
        (
            "12.5 % of the origin of lot L-1 unknown",
            "12,5\u00a0% de l\u2019origine du lot L-1 est inconnue",
        ),
        ("lot L-1 names no custodian", "pas de dépositaire du lot L-1"),
        ("movement W-1 has no receipt", "pas de réception du trajet W-1"),
        (
            "movement of lot L-1 has no receipt",
            "pas de réception d\u2019un trajet du lot L-1",
        ),
        ("lot L-1 has no weighing and no assay", "ni pesée ni analyse du lot L-1"),
        ("lot L-1 has no assay", "pas d\u2019analyse du lot L-1"),
        ("lot L-1 has no weighing", "pas de pesée du lot L-1"),
    ],
)
def test_what_a_lot_cannot_be_traced_by_is_said_in_french(
    french: Pages, gap: str, said: str
) -> None:
    assert french.run('moduleOf("worded.js").gapOf(gap)', gap=gap) == said


(ASSAY, *_) = [one for one in golden.records("assay") if isinstance(one, LotAssayed)]
DRIFTS = [Drifted("WB-HOY-1", "mass", 0.0057, 0.001), Drifted("X-1", "Cu", -0.02, 0.001)]
GONE = [
    (
        lot_drift.sentence(DRIFTS),
        (
            "Without the drifts of instruments nothing is left of it:"
            " WB-HOY-1, mass +0.570\u00a0%; X-1, Cu \u22122.00\u00a0%."
        ),
        (
            "Sans les dérives d\u2019instruments il n\u2019en reste rien\u00a0:"
            " WB-HOY-1, masse +0,570\u00a0%; X-1, Cu \u22122,00\u00a0%."
        ),
    ),
    (
        without(
            reasons.changed(
                [replace(ASSAY, event_id="b", corrects="a", void=False)], [("ref/site/M", "c")]
            )
        ),
        (
            "The facts as now known do not support it: event b corrects a;"
            " reference record site/M has another version, event c."
        ),
        (
            "Les faits connus à présent ne la soutiennent pas\u00a0: l\u2019événement b corrige a;"
            " la donnée de référence site/M a une autre version, événement c."
        ),
    ),
    (
        "its limit is E = 10^3.3 now (exact rule), and was 10^3.0; E is 10^3.1",
        "Its limit is E = 10^3.30 now, and was 10^3.00; E is 10^3.10. A rule is certain.",
        (
            "Sa limite est à présent E = 10^3,30, elle était 10^3,00\u00a0; E vaut 10^3,10."
            " Une règle est certaine."
        ),
    ),
    (
        "its lots since 2026-01-02 03:04 UTC are not off by it any more",
        "Its lots since 2 Jan 03:04:00 UTC are not off by it any more.",
        "Ses lots depuis 2 janv. 03:04:00 UTC n\u2019en sont plus décalés.",
    ),
    (
        "nothing is left of it as lots are measured now; the last is L-1, event e",
        "As lots are measured now nothing is left of it (L-1).",
        "Tels que les lots sont mesurés à présent il n\u2019en reste rien (L-1).",
    ),
    (
        "trip W-1 came to DEPOT 12.5 h after its deadline",
        "Trip W-1 came to DEPOT 12.5 h after its deadline.",
        "Le trajet W-1 est arrivé à DEPOT 12,5 h après son délai.",
    ),
]


@pytest.mark.parametrize(("reason", "english", "french"), GONE)
def test_why_an_alert_was_taken_back_is_said_in_the_readers_language(
    pages: Pages, reason: str, english: str, french: str
) -> None:
    told = pages.run('moduleOf("worded.js").whyGone(reason)', reason=reason)
    assert told in {english, french}


def test_every_objection_to_an_instruments_shift_has_its_word() -> None:
    known = (PAGES / "worded.js").read_text("utf-8")
    source = inspect.getsource(blame.objection)
    said = re.findall(r'"((?:too|it|its|beside) [^"]+)"', source)
    assert len(said) == 5
    assert not [one for one in said if f'"{one}"' not in known]


def test_a_version_is_told_by_its_figures_and_not_in_the_workers_words(pages: Pages) -> None:
    reason = "origin_mismatch 82.5% (sigma 12.5%) before MINE-KOV measured it; probability 0.9"
    whole = alert_line(alert("A", family="origin_mismatch", reason=reason, size=0.82, size_u=0.12))
    told = pages.run('moduleOf("why.js").versionSaid(one, one)', one=whole | {"actor": None})
    assert told in {
        "Not of its origin: 82\u00a0±\u00a012\u00a0%; E = 10^6.00, limit 10^3.00",
        (
            "Ne vient pas de son origine\u00a0: 82\u00a0±\u00a012\u00a0%\u00a0;"
            " E = 10^6,00, limite 10^3,00"
        ),
    }


def test_where_the_onset_is_not_known_it_is_said_that_it_is_the_raising() -> None:
    rows = [alert_line(alert("A")), alert_line(alert("B", onset_at=None))]
    said = 'alerts.map(moduleOf("alert_named.js").sinceText)'
    known, raised = Pages("en").run(said, alerts=rows)
    assert not known.startswith("raised ")
    assert raised.startswith("raised ")
    assert Pages("fr").run(said, alerts=rows)[1].startswith("levée ")


def test_calibration_ends_with_the_day_that_reference_data_say() -> None:
    end = 'moduleOf("numbers.js").lastDay("2031-01-02T00:00:00Z")'
    assert Pages("en").run(end) == "2031-01-01"


COMPLETE = (
    '(() => { const it = document.createElement("div");'
    ' moduleOf("dom.js").fill(it, moduleOf("pipeline.js").completeTable(rows));'
    ' const of = (selector) => [...it.querySelectorAll(selector + " th[scope=row]")]'
    ".map((one) => one.textContent);"
    ' return [of("div.bounded"), of("details"), it.textContent]; })()'
)


def test_of_many_sites_those_that_are_behind_are_read_and_the_others_folded(pages: Pages) -> None:
    at = {f"SITE-{no:03}": "2026-11-07T05:12:00Z" for no in range(300)}
    at |= {"": "2026-11-07T03:00:00Z", "SITE-007": "2026-11-07T03:00:00Z"}
    rows = [{"site_id": site, "complete_to": to} for site, to in at.items()]
    read, folded, text = pages.run(COMPLETE, rows=rows)
    assert read in (["SITE-007", "all sites"], ["SITE-007", "tous les sites"])
    assert len(folded) == 299
    assert ": 299" in text
    few, folded, _ = pages.run(COMPLETE, rows=rows[:4])
    assert (few, folded) == ([], []), "a few are read as they are"
