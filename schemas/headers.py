"""Names of the Kafka headers we write and read."""

PREV = "prev"
"""Digest before this record in its gateway's chain, 32 bytes."""

DIGEST = "digest"
"""Digest of this record in its gateway's chain, 32 bytes."""

GATEWAY = "gateway"
"""Id of the gateway, UTF-8: a record that cannot be read names no gateway in its body."""

GATEWAY_WRITES = (PREV, DIGEST, GATEWAY)
"""What a gateway puts on each fact and control record, in this order."""

REPLAY_OF = "x-replay-of"
"""Place of the dead letter that is sent again."""
