"""What goes to whom: a drift is said to every partition, all else once."""

from dataclasses import replace

from custody.records import Drift, Residual
from schemas import codec
from schemas.partition import partition_of
from schemas.routes import BY_TYPE, Record
from streams.outputs import OutputWriter
from tests.support import golden

PARTITIONS = 4


def body(record: Record) -> bytes:
    return codec.encode(record)


def test_a_drift_has_a_copy_and_a_number_for_each_partition() -> None:
    [told] = golden.records("drift")
    assert isinstance(told, Drift)
    writer = OutputWriter(2, PARTITIONS, body, last_n=10)
    copies = writer.write("instrument/WB-KOV-1", told)
    assert [(one.partition, one.n) for one in copies] == [(p, 11 + p) for p in range(PARTITIONS)]
    for one in copies:
        said = codec.decode("drift", one.value)
        assert said == replace(told, sender="worker/2", n=one.n, partition=one.partition)
        assert one.topic == BY_TYPE[Drift].topic
    assert writer.last_n == 10 + PARTITIONS


def test_a_residual_goes_to_where_its_instrument_lives() -> None:
    [told] = golden.records("residual")
    assert isinstance(told, Residual)
    [one] = OutputWriter(2, PARTITIONS, body, last_n=0).write("lot/L-24-0117", told)
    assert one.key == b"WB-KOV-1"
    assert one.partition == partition_of(b"WB-KOV-1", PARTITIONS)
