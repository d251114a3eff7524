"""Helpers for tests, of this project and of its users. Needs no test library unless `strategies` is imported."""

from agenther.testing.make import assistant, make_trajectory, tool, tool_call, tool_schema, user
from agenther.testing.scripted import ScriptedClient

__all__ = ["ScriptedClient", "assistant", "make_trajectory", "tool", "tool_call", "tool_schema", "user"]
