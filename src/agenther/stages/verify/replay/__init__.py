"""Replay: the calls of a run made again, what they changed, and whether the goal says just that."""
