"""What a process refuses before it is anything."""

import os
from pathlib import Path

import pytest

from runtime import processes
from runtime.settings import load
from tests.support import tree


def test_a_gateway_does_not_begin_under_the_name_of_the_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tree.text(Path("runtime/bundle/gateway/gateway.env"))
    assert f"CUSTODY_GATEWAY__GATEWAY_ID={processes.PLACEHOLDER}\n" in text
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "GATEWAY__GATEWAY_ID": processes.PLACEHOLDER,
        "REGISTRY__URL": "http://127.0.0.1:1",
        "KAFKA__BOOTSTRAP": "127.0.0.1:1",
    }.items():
        monkeypatch.setenv(f"CUSTODY_{name}", value)
    with pytest.raises(processes.NotNamed, match="CUSTODY_GATEWAY__GATEWAY_ID"):
        processes.gateway(load(os.environ))
    assert not list(tmp_path.iterdir())
