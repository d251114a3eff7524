"""Which outputs are errors."""

from __future__ import annotations

import pytest

from agenther.stages.detect.errors import error_at, is_only_error

ERRORS = [
    "Error executing query: Unknown column 'a' in 'field list'",
    "Error: order not found",
    "  error 404",
    "ValueError: no such thing",
    "Invalid action!",
    "Nothing happens.",
    "Unknown tool: fly",
    "bash: line 1: frob: command not found",
    "ls: cannot access 'x': No such file or directory\nls: cannot access 'y': No such file or directory",
    "cut: you must specify a list of bytes\nTry 'cut --help' for more information.",
    "find: missing argument to `-exec'",
    "Observation:\nTraceback (most recent call last):\n  File \"a.py\", line 1\nNameError: name 'x' is not defined",
    '{"error": "no such city", "response": ""}',
    '{"success": false, "message": "bad date"}',
    "exitcode: 1 (execution failed)\nCode output: no module named frob",
    "Command timed out",
    "$x}': -c: line 1: unexpected EOF while looking for matching `''\n $x}': -c: line 2: syntax error: unexpected end of file",
    "No SQL code was found in your last response.",
    "Permission denied",
    "You have 3 steps left.\nls: cannot access 'x': No such file or directory",
    "  ^~~\n\nsed: unknown option to `s'\nYou should take the last step now.",
    "^\n$x}': -c: line 1: syntax error near unexpected token `)'\n$x}'",
    "Observation: You have 3 steps left\rcut: invalid field value",
]
OUTPUTS = [
    "",
    "[]",
    "[(3,)]",
    "Error handling in small languages, a book",
    "Page: Trial and error. The failure of the bridge",
    "0 errors, 3 warnings",
    '{"error": "", "response": {"city": "Lund"}}',
    '{"error": null, "rows": [1]}',
    '{"error": "partial", "response": {"city": "Lund", "people": "many"}}',
    "12 notes.txt",
    "exitcode: 0 (execution succeeded)",
    "a.txt: no error here, just text\nb.txt",
    "./a.log: 3 lines\n./b.log: 4 lines",
    "You put the ladle in the drawer.",
    "invalid",
]


@pytest.mark.parametrize("text", ERRORS)
def test_errors(text: str) -> None:
    bounds = error_at(text)
    assert bounds is not None
    assert is_only_error(text, bounds)


@pytest.mark.parametrize("text", OUTPUTS)
def test_outputs(text: str) -> None:
    assert error_at(text) is None


def test_an_output_that_ends_in_a_traceback_holds_more_than_an_error() -> None:
    text = "12 rows\nTraceback (most recent call last):\n  File \"a.py\", line 2\nKeyError: 'x'"
    bounds = error_at(text)
    assert bounds is not None
    assert text[slice(*bounds)].startswith("Traceback")
    assert not is_only_error(text, bounds)
