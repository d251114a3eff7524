"""What a command printed, out of what harnesses put around it: tags, JSON, prompts, exit codes, a terminal's screen."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple, cast

from agenther.record import JsonObject


class Printed(NamedTuple):
    """What stands inside the wrapping of an observation."""

    text: str
    """What the command printed, line ends as `\\n` where the harness printed through a terminal."""
    complained: bool
    """The wrapping tells of a failure: an exit code other than zero, text on the channel for errors, or a cut output."""


_TAGGED = re.compile(r"\s*<returncode>(?P<code>-?\d+)</returncode>\s*<output>\n?(?P<text>.*?)</output>\s*", re.DOTALL)
_CODED = re.compile(r"\s*exit ?code: (?P<code>-?\d+)(?: \([\w ]+\))?\nCode output: ?(?P<text>.*)", re.DOTALL)
_SHOWN = re.compile(r"\s*OBSERVATION:\n(?P<text>.*)", re.DOTALL)
_PROMPTED = re.compile(
    r"(?P<text>.*?)(?:\A|\r?\n)\(Open file: [^\n]*\)\r?\n\(Current directory: [^\n]*\)\r?\n(?:bash-)?[$#]\s*", re.DOTALL
)
_FOOTED = re.compile(
    r"(?P<text>.*?)(?:\A|\n)"
    r"(?=\[(?:The command completed|Command finished) with exit code )"
    r"(?:\[The command completed with exit code (?P<code>-?\d+)\.\](?:\n|\s*\Z))?"
    r"(?:\[Current working directory: [^\n]*\](?:\n|\s*\Z))?"
    r"(?:\[Python [Ii]nterpreter: [^\n]*\](?:\n|\s*\Z))?"
    r"(?:\[Command finished with exit code (?P<end>-?\d+)\]\s*)?",
    re.DOTALL,
)
_SCREEN = re.compile(
    r"(?:Current terminal state:\n)?New Terminal Output:\n\s*"
    r"(?P<prompt>[\w.-]+@[\w.-]+:\S*[#$]) (?P<typed>[^\n]+)\n(?P<text>.*?)(?:(?P=prompt)\s*)",
    re.DOTALL,
)
_CODES = (("</returncode>", _TAGGED), ("Code output:", _CODED), ("with exit code ", _FOOTED))
"""Wrappings that tell the exit code, each with a text that it cannot be without."""
_SILENT = re.compile(r"\s*Your command ran successfully and did not produce any output\.\s*")
_PRINTED = ("stdout", "output", "result")
_COMPLAINTS = (
    *("stderr", "error", "exit_code", "exitCode", "returncode", "return_code", "code", "timed_out"),
    *("truncated", "is_truncated", "output_truncated", "stdout_truncated"),
)


@lru_cache(maxsize=64)
def unwrap(content: str, command: str | None = None) -> Printed:
    """Return what a command printed and whether the wrapping around it tells of a failure.

    Args:
        content: the observation.
        command: what was typed: a terminal's screen is unwrapped only when it shows just this command.
    """
    for mark, pattern in _CODES:
        if mark in content and (match := pattern.fullmatch(content)) is not None:
            found = match.groupdict()
            return Printed(found["text"], (found.get("code") or found.get("end")) != "0")
    if "New Terminal Output:" in content and (match := _SCREEN.fullmatch(content)) is not None:
        alone = command is not None and match["typed"] == command.strip() and match["prompt"] not in match["text"]
        return Printed(match["text"], False) if alone else Printed(content, False)
    plain = content
    for mark, pattern in (("OBSERVATION:", _SHOWN), ("(Current directory: ", _PROMPTED)):
        if mark in plain and (match := pattern.fullmatch(plain)) is not None:
            plain = match["text"]
    if plain != content:
        return Printed("" if _SILENT.fullmatch(plain) else plain.replace("\r\n", "\n"), False)
    return _of_object(content) if content.lstrip()[:1] == "{" else Printed(content, False)


def _of_object(content: str) -> Printed:
    try:
        wrapped = json.loads(content)
    except (ValueError, RecursionError):
        return Printed(content, False)
    if not isinstance(wrapped, dict):
        return Printed(content, False)
    values = cast(JsonObject, wrapped)
    printed = next((v for k in _PRINTED if isinstance(v := values.get(k), str)), None)
    if printed is None:
        return Printed(content, False)
    return Printed(printed, any(values.get(k) for k in _COMPLAINTS))


def output_of(content: str, command: str | None = None) -> str:
    """Return what a command printed.

    A wrapping that tells of a failure or of error text is left as it is, so that no row of it fits anything.
    """
    printed = unwrap(content, command)
    return content if printed.complained else printed.text
