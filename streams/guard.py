"""What the guarded parts of one worker share, and the versions they were made for."""

from dataclasses import dataclass, field
from importlib.metadata import version

from custody.errors import Unavailable
from streams.lease import Lease

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}


def check_versions() -> None:
    """Refuse to start on other versions than those whose private names are overridden here.

    Raises:
        Unavailable: A version differs.
    """
    found = {name: version(name) for name in PINNED}
    if found != PINNED:
        what = f"worker libraries are {found}"
        raise Unavailable(
            what, expected=str(PINNED), next_step="pip install --requirement requirements.lock"
        )


@dataclass(slots=True)
class Counts:
    """What the guards did, for health and tests."""

    stale_fetch_records: int = 0
    stale_acks: int = 0
    dropped_chunks: int = 0
    revoke_wait_s_max: float = 0.0


@dataclass(slots=True)
class Guard:
    """Settings and state that the guarded parts of one worker share.

    Attributes:
        sources: Topics that arrive in chunks.
        lease: Right to produce.
        chunk_records_max: Records of one chunk.
        poll_s: Shortest time between two fetches without a backlog.
        revoke_wait_s: How long a running chunk may take when its partition is taken away.
    """

    sources: frozenset[str]
    lease: Lease
    chunk_records_max: int
    poll_s: float
    revoke_wait_s: float
    counts: Counts = field(default_factory=Counts)
