"""How much of what is there to find the detectors find, in worlds drawn from a seed."""
