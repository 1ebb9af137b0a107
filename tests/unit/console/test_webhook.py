"""Which versions of an alert matter to a webhook, and what proves that a post is ours."""

from dataclasses import replace

import pytest

from console.webhook import notice
from console.webhook.notice import Stands, why
from custody.records import Alert
from tests.support import golden


def version(version: int, state: str, severity: str = "high") -> Alert:
    (alert, *_) = golden.records("alert")
    assert isinstance(alert, Alert)
    return replace(alert, version=version, state=state, severity=severity)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, version(1, "open"), "opened"),
        (None, version(4, "acknowledged"), None),
        (None, version(4, "retracted"), "retracted"),
        (Stands(1, "open", "high"), version(2, "acknowledged"), None),
        (Stands(1, "open", "high"), version(2, "open"), None),
        (Stands(1, "open", "high"), version(2, "open", "critical"), "worse"),
        (Stands(1, "shelved", "low"), version(2, "shelved", "high"), "worse"),
        (Stands(1, "open", "critical"), version(2, "open", "high"), None),
        (Stands(1, "shelved", "high"), version(2, "open"), "opened"),
        (Stands(1, "resolved", "high"), version(2, "open"), "opened"),
        (Stands(1, "acknowledged", "high"), version(2, "resolved"), "resolved"),
        (Stands(1, "resolved", "high"), version(2, "resolved"), None),
        (Stands(1, "resolved", "high"), version(2, "retracted"), "retracted"),
        (Stands(2, "open", "high"), version(2, "open", "critical"), None),
        (Stands(3, "open", "high"), version(2, "resolved"), None),
    ],
)
def test_a_version_matters_or_not(before: Stands | None, now: Alert, expected: str | None) -> None:
    assert why(before, now) == expected


def test_the_signature_is_that_of_openssl() -> None:
    # printf '1.{}' | openssl dgst -sha256 -hmac key
    assert notice.signature(b"{}", b"key", 1) == (
        "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    )
    assert notice.signature(b"{}", b"key", 2) != notice.signature(b"{}", b"key", 1)
