"""The pure core: facts, masses, balances, alerts. No I/O, no clock, no randomness, no logging."""
