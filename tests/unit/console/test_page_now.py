"""The page of what is open now: how many there are, also of those it does not draw."""

from schemas.present import alert_line
from tests.support.alerts import alert
from tests.support.page_engine import Pages

VERDICT = """(() => {
  const shown = document.createElement("div");
  moduleOf("dom.js").fill(shown, moduleOf("now.js").verdict(alerts, leftOut));
  return shown.textContent;
})()"""
LEFT_OUT = {"critical": 0, "high": 0, "medium": 3, "low": 24, "shelved": 4}
NONE = dict.fromkeys(LEFT_OUT, 0)


def _told(left_out: dict[str, int]) -> str:
    alerts = [alert_line(alert(name)) for name in "AB"]
    for one, state in zip(alerts, ("open", "shelved"), strict=True):
        one |= {"state": state, "severity": "medium"}
    told: str = Pages("en").run(VERDICT, alerts=alerts, leftOut=left_out)
    return told


def test_where_all_are_drawn_those_are_counted() -> None:
    assert _told(NONE).startswith("1 alert to settle")


def test_alerts_that_are_not_drawn_are_counted_with_their_severity() -> None:
    told = _told(LEFT_OUT)
    assert told.startswith("28 alerts to settle")
    for counted in ("4 ■ medium", "24 ● low", "5 shelved"):
        assert counted in told.lower(), told
