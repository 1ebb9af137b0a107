"""History told again to the core, without Kafka: what it would have said, and when."""
