"""Fuzzing of readers and rules; see `run.py`."""
