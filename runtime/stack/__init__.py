"""The local stack: a real Kafka, a real registry and our own processes, supervised, on loopback."""
