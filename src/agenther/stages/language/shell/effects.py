"""What a command does to the world: nothing ran, it only read, it moved to another directory, or it may have changed something.

Whatever is not known to be read-only counts as changing.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Effect(StrEnum):
    """What running a command did."""

    NOTHING = "nothing"
    READS = "reads"
    MOVES = "moves"
    CHANGES = "changes"


READ_ONLY = frozenset(
    """
    awk basename cat cd cksum cmp comm cut date df diff dir dirname du echo egrep expr false fgrep file find fold free gawk
    getent grep groups head hexdump hostname id join less locate ls lsof mawk md5sum more nl od paste pgrep printenv printf
    ps pwd readlink realpath rev sed seq sha1sum sha256sum sha512sum sort stat strings tac tail test tr tree true type uname
    uniq uptime wc which whoami xargs xxd zcat zgrep [ [[ for in do done if then else fi while
    """.split()
)
_WRITES = {
    "find": re.compile(r"\s-(?:delete|fprint\w*|fls|ok\w*)\b"),
    "sed": re.compile(r"\s(?:-\w*i|--in-place)|\bw\s"),
    "awk": re.compile(r"system|>|\||getline"),
    "gawk": re.compile(r"system|>|\||getline|-i\b"),
    "mawk": re.compile(r"system|>|\||getline"),
    "sort": re.compile(r"\s(?:-\w*o|--output)"),
    "xxd": re.compile(r"\s-r"),
    "tree": re.compile(r"\s-o"),
    "date": re.compile(r"\s(?:-s|--set)"),
    "hostname": re.compile(r"\s[^-\s]"),
    "uniq": re.compile(r"\s[^-\s]\S*\s+[^-\s]"),
}
_RUNS_OTHERS = re.compile(
    r"\s-exec(?:dir)?\s+(\S+)|^xargs\b(?:\s+-(?:[0rtx]+|[nLPI]\s*\S+|i\S*|d\s*\S+))*\s*(?P<of_xargs>\S*)"
)
_HARMLESS_REDIRECTION = re.compile(r"\d?>{1,2}\s*/dev/null|\d>&\d")
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\`$]|\$(?!\())*\"")
_SPLIT = re.compile(r"\|\||&&|\$\(|[|;&\n()`]")
_MOVES = re.compile(r"(?:^|[;&|(\n]\s*)cd\b")
_NOT_RUN = re.compile(
    r"\A\s*(?:Malformed command|Format your|\S*: (?:-c: )?line \d+: syntax error|\S*: -c: line \d+: unexpected)"
)
_NOT_FOUND = re.compile(
    r"\A\s*\S*bash: line \d+: \S+: command not found\s*\Z|\A\s*(?:bash|sh): \S+: (?:command )?not found\s*\Z"
)

_MISSING = re.compile(r"^\S*bash: line \d+: (\S+): command not found$", re.MULTILINE)


@lru_cache(maxsize=64)
def effect_of(command: str, output: str) -> Effect:
    """Return what a command did, judged by its words and by what it printed."""
    text = command.strip()
    single = "\n" not in text
    if single and _NOT_RUN.match(output):
        return Effect.NOTHING
    if single and "not found" in output and _NOT_FOUND.match(output) and not _SPLIT.search(_QUOTED.sub("Q", text)):
        return Effect.NOTHING
    told = single and "command not found" in output
    missing = frozenset(_MISSING.findall(output)) if told else frozenset[str]()
    if not is_read_only(text, missing):
        return Effect.CHANGES
    return Effect.MOVES if "cd" in text and _MOVES.search(_QUOTED.sub("Q", text)) else Effect.READS


@lru_cache(maxsize=1024)
def is_read_only(command: str, missing: frozenset[str] = frozenset()) -> bool:
    """Tell whether every command of a line is known to change nothing, files and shell alike.

    Args:
        command: the line.
        missing: names of commands that the shell did not find, so that they did nothing.
    """
    text = _HARMLESS_REDIRECTION.sub("", command) if ">" in command else command
    quoted = _QUOTED.findall(text)
    bare = _QUOTED.sub("Q", text).replace("\\;", "Q").replace("\\(", "Q").replace("\\)", "Q")
    if ">" in bare or "<<" in bare:
        return False
    parts = [part.strip() for part in _SPLIT.split(bare)]
    at = 0
    for part in parts:
        n_quoted = part.count("Q")
        content = " ".join(quoted[at : at + n_quoted])
        at += n_quoted
        if part and part.split()[0] not in missing and not _reads(part, content):
            return False
    return True


def _reads(part: str, content: str) -> bool:
    words = part.split()
    while words and words[0] in ("do", "then", "else", "if", "while", "!"):
        words = words[1:]
    if not words or words[0] in ("done", "fi"):
        return True
    if words[0] == "for":
        return True
    name = words[0].rsplit("/", 1)[-1]
    if name not in READ_ONLY:
        return False
    rest = " ".join([name, *words[1:]])
    if name in _WRITES and _WRITES[name].search(f"{rest} {content}"):
        return False
    others = [match.group(1) or match.group("of_xargs") for match in _RUNS_OTHERS.finditer(rest)]
    return all(
        other == "" or (other.rsplit("/", 1)[-1] in READ_ONLY and other not in ("xargs", "find", "sed", "awk"))
        for other in others
    )
