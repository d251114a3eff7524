"""What a `grep` looks for, said as literal text or as one of a few patterns that have a plain name."""

from __future__ import annotations

import re
from dataclasses import replace

from agenther.stages.language.shell.find import Condition, Files
from agenther.stages.language.shell.meaning import Ask, Pattern, Query
from agenther.stages.language.shell.options import Options, read_options
from agenther.stages.language.shell.parse import Refused, Simple, Word

GREPS = ("grep", "egrep", "fgrep")
_FLAGS = "rRilLncwvHhoEFqsIx"
_LONG = {
    "recursive": "r",
    "ignore-case": "i",
    "files-with-matches": "l",
    "line-number": "n",
    "count": "c",
    "word-regexp": "w",
    "invert-match": "v",
    "with-filename": "H",
    "no-filename": "h",
    "only-matching": "o",
    "fixed-strings": "F",
    "extended-regexp": "E",
}
_NAMED = {
    "": "any",
    "^": "any",
    ".*": "any",
    ".": "not_empty",
    "^$": "empty",
    "^\\s*$": "blank",
    "^[[:space:]]*$": "blank",
    "[A-Za-z0-9]": "alphanumeric",
    "[a-zA-Z0-9]": "alphanumeric",
    "[0-9a-zA-Z]": "alphanumeric",
    "[0-9A-Za-z]": "alphanumeric",
    "[[:alnum:]]": "alphanumeric",
    "[0-9]": "digit",
    "[[:digit:]]": "digit",
}
_ESCAPED = re.compile(r"\\([.*\[\]\\^$])")
_SPARED = re.compile("\0.")
"""A character that was escaped, marked as one that means itself."""
_META = re.compile(r"[.*\[\]\\^$]")
_META_EXTENDED = re.compile(r"[.*\[\]\\^$+?|(){}]")


def read_pattern(command: Simple) -> tuple[Pattern, Options, tuple[Word, ...]]:
    """Return the pattern of a grep, its options, and the operands that are files.

    Raises:
        Refused: the pattern is a program, or an option is not known.
    """
    options = read_options(command, _FLAGS, "e", _LONG, "include regexp")
    operands = list(options.operands)
    word = options.values.get("e") or options.values.get("regexp") or (operands.pop(0) if operands else None)
    if word is None or word.glob or {"L", "q", "x", "s"} & set(options.flags) - {"q"}:
        raise Refused("grep in a form that is not spoken of")
    fixed = command.name == "fgrep" or "F" in options.flags
    extended = command.name == "egrep" or "E" in options.flags
    place, text = ("contains", word.text) if fixed else _place(word.text, extended=extended)
    pattern = Pattern(
        place,
        text,
        (word, *options.words("iwv")),
        ignore_case="i" in options.flags,
        whole_word="w" in options.flags,
        inverted="v" in options.flags,
    )
    if (
        (place != "contains" and pattern.whole_word)
        or '"' in text
        or "\n" in text
        or (place in ("contains", "starts", "ends") and not text.strip())
    ):
        raise Refused("a pattern that cannot be quoted")
    return pattern, options, tuple(operands)


def _place(pattern: str, *, extended: bool) -> tuple[str, str]:
    if pattern in _NAMED:
        return _NAMED[pattern], ""
    place, text = "contains", pattern
    if text.startswith("^"):
        place, text = "starts", text[1:]
    elif text.endswith("$") and not text.endswith("\\$"):
        place, text = "ends", text[:-1]
    text = _ESCAPED.sub("\0\\1", text)
    if (_META_EXTENDED if extended else _META).search(_SPARED.sub("", text)):
        raise Refused(f"the pattern {pattern!r}")
    return place, text.replace("\0", "")


def read_grep(command: Simple, files: Files | None = None, *, each: bool = False, piped: bool = False) -> Query:
    """Return the query of a grep on its own operands, or on files that another command hands to it.

    Args:
        command: the grep.
        files: what it is applied to; None when its operands name the files.
        each: it runs once for every file, so that no path is printed unless asked for.
        piped: it reads the text of all the files as one, and prints no path.
    """
    pattern, options, operands = read_pattern(command)
    if files is None:
        files, several = _own_files(options, operands)
    elif operands or "r" in options.flags or "R" in options.flags or "include" in options.values:
        raise Refused("grep of files beside those that find hands over")
    else:
        several = not each and not piped
    verb = command.words[:1]
    paths = ("H" in options.flags or several) and "h" not in options.flags
    if "q" in options.flags or "l" in options.flags:
        return _matching_files(files, pattern, verb, options)
    if "c" in options.flags:
        if "o" in options.flags:
            raise Refused("grep -c with -o")
        if not paths and not piped and not (files.given and len(files.roots) == 1):
            raise Refused("counts of many files without their names")
        ask = Ask.MATCH_TALLY if paths else Ask.MATCH_COUNT
        return Query(ask, files, verb + options.words("c"), pattern=pattern)
    ask = Ask.OCCURRENCES if "o" in options.flags else Ask.MATCHES
    if ask is Ask.OCCURRENCES and (pattern.inverted or pattern.place != "contains"):
        raise Refused("grep -o of what is no text")
    return Query(
        ask,
        files,
        verb + options.words("onH"),
        pattern=pattern,
        line_numbers="n" in options.flags,
        with_paths=paths,
    )


def _matching_files(files: Files, pattern: Pattern, verb: tuple[Word, ...], options: Options) -> Query:
    if pattern.inverted:
        raise Refused("grep -l with -v, which means any line without the text")
    return Query(Ask.MATCHING_FILES, files, verb + options.words("l"), pattern=pattern)


def _own_files(options: Options, operands: tuple[Word, ...]) -> tuple[Files, bool]:
    recursive = "r" in options.flags or "R" in options.flags
    if not operands and not recursive:
        raise Refused("grep without a file")
    include = options.values.get("include")
    globs = [word for word in operands if word.glob]
    if globs:
        if len(operands) > 1 or include or "**" in globs[0].text or globs[0].text.endswith("/*"):
            raise Refused("grep with wildcards for what may be directories")
        return Files("files", operands, direct=True, given=True), True
    if not recursive:
        return Files("files", operands, given=True), len(operands) > 1
    if len(operands) > 1:
        raise Refused("a recursive grep of several places")
    files = Files("files", operands)
    if include is not None:
        if not include.text.strip("*"):
            raise Refused("a name pattern that says nothing")
        files = replace(files, conditions=(Condition("name", include.text, "", (include,)),))
    return files, True
