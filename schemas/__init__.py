"""The wire: Avro schemas, routes, codec, registry. The only package that knows bytes."""
