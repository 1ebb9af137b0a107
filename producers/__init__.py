"""The site gateway: from a plant's request to an acknowledged Kafka record."""
