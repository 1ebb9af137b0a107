"""Workers tortured on a real broker: ``make torture``."""
