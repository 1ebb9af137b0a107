"""What happens now, told to browsers as it happens: from Kafka by server-sent events."""
