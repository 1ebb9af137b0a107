"""Prints a topic as JSON with nothing of ours: python stranger.py BOOTSTRAP REGISTRY_URL TOPIC.

Needs: pip install "confluent-kafka[avro]"
"""

import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import SerializationError

bootstrap, registry, topic = sys.argv[1:]
decode = AvroDeserializer(SchemaRegistryClient({"url": registry}))
consumer = Consumer(
    {"bootstrap.servers": bootstrap, "group.id": "stranger", "enable.partition.eof": True}
)
left = set(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in left])
while left:
    message = consumer.poll(30)
    if message is None or (message.error() and message.error().code() != KafkaError._PARTITION_EOF):
        sys.exit(f"no answer: {message and message.error()}")
    if message.error():
        left.discard(message.partition())
    else:
        try:
            print(json.dumps(decode(message.value(), None), default=str))
        except SerializationError as error:
            print(f"{message.partition()}/{message.offset()}: {error}", file=sys.stderr)
consumer.close()
