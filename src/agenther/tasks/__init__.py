"""Checkable tasks: what a run was shown to do, asked of others, with a checker, an oracle and controls."""
