"""A shell command line, read as one pipeline of simple commands with the place of every word.

Whatever is more than that (lists, redirections, substitutions, variables, groups) is refused, not guessed at. What the
commands mean is said in `find`, `query` and `effects`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$|[^\s'"\\|;&<>()`$]+""", re.DOTALL)
_IN_DOUBLE_QUOTES = re.compile(r'\\([$`"\\\n])')
_EXPANDS = re.compile(r"(?<!\\)(?:`|\$[\w{(*@#?!$-])")
_GLOB = re.compile(r"[*?\[]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_QUOTED = re.compile(r"'[^']*'|\"(?:\\\\.|[^\"\\\\])*\"")


class Refused(ValueError):
    """A command line that is no plain pipeline, or that cannot be said exactly in words. The message says why."""


class Word(NamedTuple):
    """One word of a command line."""

    text: str
    """The word as the command gets it: without quotes and backslashes."""
    start: int
    """First character in the command line."""
    end: int
    """One past the last character in the command line."""
    glob: bool
    """It holds a wildcard outside quotes, which the shell replaces by file names."""


@dataclass(frozen=True)
class Simple:
    """A command with its arguments."""

    words: tuple[Word, ...]

    @property
    def name(self) -> str:
        """Name of the command without its directory."""
        return self.words[0].text.rsplit("/", 1)[-1]

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]


@lru_cache(maxsize=256)
def parse_pipeline(command: str) -> tuple[Simple, ...]:
    """Split a command line at its pipes and blanks.

    Raises:
        Refused: it is more than one plain pipeline.
    """
    commands: list[Simple] = []
    words: list[Word] = []
    at, text = 0, command.rstrip()
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text[at] == "|":
            if text[at : at + 2] in ("||", "|&") or not words:
                raise Refused("not one plain pipeline")
            commands.append(Simple(tuple(words)))
            words, at = [], at + 1
        else:
            word = _read_word(text, at)
            words.append(word)
            at = word.end
    if not words:
        raise Refused("no command")
    commands.append(Simple(tuple(words)))
    for one in commands:
        if _ASSIGNMENT.match(one.words[0].text) or one.words[0].text in ("!", "{", "[[", "for", "while", "if", "case"):
            raise Refused("shell grammar beyond a plain pipeline")
    return tuple(commands)


def _has_braces(text: str) -> bool:
    """Tell whether a text holds a brace expansion: `{a,b}` or `{1..9}`."""
    groups = [before.partition("{")[2] for before in text.split("}")[:-1]]
    return any("," in group or ".." in group for group in groups)


def _read_word(text: str, start: int) -> Word:
    at, value, glob = start, "", False
    while match := _PIECE.match(text, at):
        piece = match.group()
        match piece[0]:
            case "'":
                value += piece[1:-1]
            case '"':
                if _EXPANDS.search(piece):
                    raise Refused("a variable or a substitution")
                value += _IN_DOUBLE_QUOTES.sub(r"\1", piece[1:-1])
            case "\\":
                value += piece[1]
            case "$":
                raise Refused("a variable or a substitution")
            case _:
                glob = glob or bool(_GLOB.search(piece))
                value += piece
        at = match.end()
    if at == start or (at < len(text) and text[at] not in " \t|"):
        raise Refused("a list, a redirection, a group or an open quote")
    if value.startswith(("~", "#")) or ("{" in value and _has_braces(_QUOTED.sub("", text[start:at]))):
        raise Refused("an expansion or a comment")
    return Word(value, start, at, glob)
