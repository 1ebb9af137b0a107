"""The stream worker: from fact topics to state and derived topics, exactly once in effect."""
