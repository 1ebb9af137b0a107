"""Make a broker and a registry ready for us: topics, compatibility rule, schemas.

For the local stack and for one that is run elsewhere; nothing here needs a supervisor.
"""

from runtime import wiring
from runtime.settings import Settings
from runtime.stack import registry, topics
from schemas.registry import register_all
from streams.config import CHANGELOG


def prepare(settings: Settings) -> int:
    """Create topics, set the compatibility rule and register schemas. Blocks; harmless to repeat.

    On the local stack, or on a broker and a registry that are run elsewhere; there the rule is
    set per subject, because others may share the registry.

    Returns:
        How many topics were created.

    Raises:
        NoAddress: Neither a local stack nor an address in the settings.
        WrongPartitionCount: A topic is there with another partition count.
        NotCreated, RuleNotTaken, RegistryDown: Broker or registry do not answer or refuse.
        Incompatible: The registry refuses a schema.
    """
    created = topics.ensure(
        wiring.kafka_options(settings, wiring.bootstrap(settings)),
        topics.NewTopics(
            partitions=settings.kafka.partitions,
            replication_factor=settings.kafka.replication_factor,
            changelog=CHANGELOG,
            changelog_compaction_lag_s=settings.kafka.changelog_compaction_lag_s,
        ),
    )
    if settings.registry.url is None:
        registry.require_full_transitive(wiring.registry_url(settings))
    register_all(wiring.registry_url(settings))
    return created
