"""Alerts that matter, posted to an address of the operator's: once for each version."""
