"""Statistical tests: mass in transit, and composition of the receiving against the sending side."""
