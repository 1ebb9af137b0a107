"""Who may do what at the broker: one table, and the rules made from it.

Every process has an account of its own and may do what it does, and nothing else. So what a
stolen account can forge is what that account writes: a plant's gateway can lie about its own
facts, under its own signature, and can neither say what a scale's calibration is, nor close an
alert, nor write a balance.

The broker knows topics and no kinds of record. References and actions stand on one topic, so the
operator's gateway and the console's could each write the other's; what tells them apart is the
gateway's id in each record and the signature of its head. Broker and topics are made by an
administrator, whom no rule here names: he is one of the broker's super users.

Writing without gaps or repeats (an idempotent producer) needs no rule of its own since Kafka 3.0:
who may write any topic may do so. No process uses transactions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, not re-exported
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from console.live.broker import GROUP as LIVE_GROUP
from custody.errors import Refused, Unavailable
from producers.config import READER_GROUP
from schemas import topics
from sinks.config import GROUP as SINK_GROUP
from streams.config import APP_ID, CHANGELOG, SOURCES

TOPIC, GROUP = "topic", "group"
READ, WRITE, DESCRIBE = "read", "write", "describe"

_OPERATIONS = {
    READ: AclOperation.READ,
    WRITE: AclOperation.WRITE,
    DESCRIBE: AclOperation.DESCRIBE,
}
_RESOURCES = {TOPIC: ResourceType.TOPIC, GROUP: ResourceType.GROUP}
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing an account may do; reading and writing include describing."""

    kind: str
    name: str
    operation: str
    why: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A grant and who has it, as the broker keeps it.

    Attributes:
        role: Which of our processes it is for.
        principal: The broker's name of its account, such as ``User:custody-gateway``.
        grant: What it may do.
    """

    role: str
    principal: str
    grant: Grant


class UnknownRole(Refused):
    """A principal is named for a process that we do not have."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"--principal {given}",
            expected=f"ROLE=PRINCIPAL, as in gateway=User:gw-kov; roles: {', '.join(ROLES)}",
        )


class RulesNotTaken(Unavailable):
    """The broker does not keep a rule."""

    def __init__(self, rule: Rule, cause: str) -> None:
        super().__init__(
            f"{rule.principal} cannot be allowed to {rule.grant.operation} {rule.grant.kind}"
            f" {rule.grant.name}: {cause}",
            expected="a broker with an authorizer, and an account of a super user",
            next_step="see docs/access.md, Kafka",
        )


def _topics(operation: str, why: str, *names: str) -> tuple[Grant, ...]:
    return tuple(Grant(TOPIC, name, operation, why) for name in names)


_ALL = tuple(topic.name for topic in topics.TOPICS)

_ANY_GATEWAY = (
    *_topics(WRITE, "its own heads", topics.HEAD),
    *_topics(READ, "the heads of others, to embed them", topics.HEAD),
    *_topics(READ, "reference records", topics.CONTROL),
    Grant(GROUP, READER_GROUP, DESCRIBE, "to read at all; no place is kept"),
)
_POSTS_CONTROL = (
    *_topics(WRITE, "reference and action records", topics.CONTROL),
    *_topics(DESCRIBE, "the partition count", topics.FACT),
    *_ANY_GATEWAY,
)

_LIVE = Grant(GROUP, LIVE_GROUP, DESCRIBE, "to tell what happens; no place is kept")

ROLES: Mapping[str, tuple[Grant, ...]] = MappingProxyType(
    {
        "gateway": (
            *_topics(WRITE, "the plant's facts", topics.FACT),
            *_ANY_GATEWAY,
        ),
        "operator": _POSTS_CONTROL,
        "console": (
            *_POSTS_CONTROL,
            *_topics(READ, "what it shows as it happens", topics.ALERT, topics.BALANCE),
            _LIVE,
        ),
        "worker": (
            *_topics(READ, "its sources", *SOURCES),
            *_topics(READ, "which gateways are silent", topics.HEAD),
            *_topics(WRITE, "contents and ticks", topics.FLOW),
            *_topics(WRITE, "what it finds", topics.TRANSFER, topics.BALANCE, topics.ALERT),
            *_topics(READ, "to restore its rows", CHANGELOG),
            *_topics(WRITE, "its rows", CHANGELOG),
            Grant(GROUP, APP_ID, READ, "its place in the sources"),
        ),
        "sink": (
            *_topics(READ, "what it stores", *_ALL),
            *_topics(WRITE, "what cannot be read", topics.DEAD_LETTER),
            Grant(GROUP, SINK_GROUP, READ, "its place in every topic"),
            _LIVE,
        ),
        "auditor": (
            *_topics(READ, "what it checks", *_ALL),
            *_topics(WRITE, "sightings", topics.FLOW),
            Grant(GROUP, "custody-audit", READ, "its own place, where it keeps one"),
            Grant(GROUP, "custody-verify", READ, "the ends of topics"),
            Grant(GROUP, APP_ID, DESCRIBE, "how far the workers are"),
            Grant(GROUP, SINK_GROUP, DESCRIBE, "how far the sink is"),
        ),
    }
)
"""What each of our processes does at the broker, and why."""


def rules(principals: Mapping[str, str] = MappingProxyType({})) -> Iterator[Rule]:
    """Yield every rule.

    Args:
        principals: The account of a role where it is not ``User:custody-<role>``.
    """
    for role, grants in ROLES.items():
        principal = principals.get(role, f"User:custody-{role}")
        for grant in grants:
            yield Rule(role, principal, grant)


def named(given: tuple[str, ...]) -> dict[str, str]:
    """Return principals by role of texts like ``gateway=User:gw-kov``.

    Raises:
        UnknownRole: A text is of another form, or names no role of ours.
    """
    found: dict[str, str] = {}
    for text in given:
        role, _, principal = text.partition("=")
        kind, colon, name = principal.partition(":")
        if role not in ROLES or not (kind and colon and name):
            raise UnknownRole(text)
        found[role] = principal
    return found


def create(kafka: Mapping[str, str], wanted: list[Rule]) -> int:
    """Have the broker keep rules. Blocks, 30 s at most; harmless to repeat.

    Rules that others made stay: a second gateway's account is given by a second call.

    Args:
        kafka: Client options of an account that may alter the cluster.
        wanted: What to keep.

    Returns:
        How many the broker keeps now of those asked for.

    Raises:
        RulesNotTaken: The broker has no authorizer, does not answer, or refuses.
    """
    admin = AdminClient({**kafka, "log_level": 0})
    by_binding = {_binding(rule): rule for rule in wanted}
    asked = admin.create_acls(list(by_binding), request_timeout=_TIMEOUT_S)
    for binding, future in asked.items():
        try:
            future.result(_TIMEOUT_S)
        except (KafkaException, TimeoutError) as error:
            raise RulesNotTaken(by_binding[binding], str(error)) from error
    return len(by_binding)


def _binding(rule: Rule) -> AclBinding:
    return AclBinding(
        _RESOURCES[rule.grant.kind],
        rule.grant.name,
        ResourcePatternType.LITERAL,
        rule.principal,
        "*",
        _OPERATIONS[rule.grant.operation],
        AclPermissionType.ALLOW,
    )
