"""A day of plant data built from real ore assays; imports nothing that detects."""
