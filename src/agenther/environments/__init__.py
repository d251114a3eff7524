"""Environments that can be asked again: simulators that replay a run's calls, and databases beside the runs."""
