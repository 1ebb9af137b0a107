"""Processes that ``bench.worker`` measures; each answers ``/metrics``."""
