"""The whole way of an event in one process, by a seed: see ``run``."""
