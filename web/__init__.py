"""What every HTTP edge of ours shares: how it listens, who may ask, how it says no."""
