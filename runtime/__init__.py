"""The composition root: settings, wiring, command line, local stack. Nothing imports it."""
