"""What is posted of an alert, when, and how it is signed. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import NamedTuple

from custody import alerts
from custody.records import Alert
from custody.severity import is_worse
from schemas.present import alert_line

OPENED, WORSE, RETRACTED, RESOLVED = "opened", "worse", "retracted", "resolved"

SIGNATURE = "Custody-Signature"
DELIVERY = "Custody-Delivery"


class Stands(NamedTuple):
    """What was said last of an alert."""

    version: int
    state: str
    severity: str


def stands(alert: Alert) -> Stands:
    """Return what is remembered of a version."""
    return Stands(alert.version, alert.state, alert.severity)


def why(before: Stands | None, alert: Alert) -> str | None:
    """Return why a version matters; None where it does not, or is no new one.

    Args:
        before: What was said last of it; None where nothing was.
        alert: The version.
    """
    if before is not None and alert.version <= before.version:
        return None
    was = None if before is None else before.state
    if alert.state != was:
        turned = {
            alerts.OPEN: OPENED,
            alerts.RETRACTED: RETRACTED,
            alerts.RESOLVED: RESOLVED,
        }.get(alert.state)
        if turned is not None:
            return turned
    if before is not None and is_worse(alert.severity, before.severity):
        return WORSE
    return None


def body_of(reason: str, alert: Alert) -> bytes:
    """Return what is posted."""
    return json.dumps({"why": reason, "alert": alert_line(alert)}).encode()


def headers_of(alert: Alert, body: bytes, secret: bytes, at_s: int) -> Mapping[str, str]:
    """Return what is posted along with it.

    The signature is over the time and the body, so that nobody can post an old one again.

    Args:
        alert: The version.
        body: What is posted.
        secret: Shared with the receiver.
        at_s: Now, seconds since 1970.
    """
    return {
        "Content-Type": "application/json",
        DELIVERY: f"{alert.alert_id}/{alert.version}",
        SIGNATURE: f"t={at_s},v1={signature(body, secret, at_s)}",
    }


def signature(body: bytes, secret: bytes, at_s: int) -> str:
    """Return the HMAC-SHA-256 of ``<seconds>.<body>``, hexadecimal."""
    return hmac.new(secret, b"%d.%b" % (at_s, body), hashlib.sha256).hexdigest()
