"""What a command printed: whether it is free of error text, and whether its rows are what the query would print."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase, translate
from functools import lru_cache

from agenther.stages.language.shell.find import OR, Condition
from agenther.stages.language.shell.meaning import Ask, Query
from agenther.stages.language.words import holds_any

_COMPLAINT = re.compile(
    r"^(?:/\S*/)?(?:bash|sh|dash|zsh|find|grep|egrep|fgrep|ls|cat|wc|du|df|xargs|sort|uniq|head|tail|cut|tr|tar|awk|sed"
    r"|md5sum|sha\d+sum|stat|diff|cmp|comm|od|hexdump|xxd|mawk|gawk|dirname|basename|tree|file|rev|tee|gzip|zcat): ",
    re.MULTILINE,
)
_FAILED = re.compile(
    r"^.{0,200}: -c: line \d+: |\A\s*(?:Command timed out|Malformed command|Traceback|Timeout\b|Error\b)"
    r"|command not found|syntax error near"
    r"|^Try '[^']+ --help'|^[Uu]sage: |^Binary file .* matches$",
    re.MULTILINE,
)
_FAILED_WORDS = (
    *(" -c: line ", "Command timed out", "Malformed command", "Traceback", "Timeout", "Error", "command not found"),
    *("syntax error near", "Try '", "sage: ", "Binary file "),
)
"""Texts without one of which nothing of this is there: a look for them costs a tenth of the search."""
_CUT_WORDS = ("truncated", "clipped", "omitted")
_CUT = re.compile(
    r"\[?(?:\.\.\.|…)?\s*\[?(?:output |response |observation )?(?:truncated|clipped|omitted)\b", re.IGNORECASE
)
MOST_ROWS = 200
MOST_CHARS = 20_000
"""Longer outputs are no answer that a user would read."""
_ROUND = 50
"""Harnesses cut outputs at round lengths."""


def is_cut(output: str, others: Iterable[str]) -> bool:
    """Tell whether the end of an output is missing: other outputs of the run end their last row and this one does not."""
    if output.endswith("\n") or not output:
        return False
    return any(other.endswith("\n") for other in others) or len(output) % _ROUND == 0


@lru_cache(maxsize=64)
def is_clean(output: str) -> bool:
    """Tell whether a command printed something and no complaint among it."""
    if len(output) > MOST_CHARS or output.count("\n") > MOST_ROWS or not output.strip():
        return False
    low = output.lower()
    complains = ": " in output and _COMPLAINT.search(output)
    fails = holds_any(output, _FAILED_WORDS) and _FAILED.search(output)
    return not (complains or fails or (holds_any(low, _CUT_WORDS) and _CUT.search(output)))


def rows_of(output: str) -> list[str]:
    """Return the rows of an output without trailing blanks; empty rows at the end are no rows."""
    return output.rstrip().split("\n")


def has_total(query: Query, output: str) -> bool:
    """Tell whether a row of totals stands in the output."""
    return query.ask is Ask.TALLY and any(re.fullmatch(r"\s*\d+ total", row) for row in rows_of(output))


_NUMBER = re.compile(r"\s*[1-9]\d*\s*\Z")
_SHAPES = {
    Ask.SIZES: r"(?P<size>\d+)[ \t](?P<path>.+)",
    Ask.USAGE: r"(?P<size>[\d.]+[KMGTP]?)\t(?P<path>.+)",
    Ask.SPACE: r"Filesystem\s.*\bAvail(?:able)?\s.*|\S+(?:\s+\d[\d.]*[KMGTP]?){3}\s+\d+%\s+/\S*",
    Ask.TALLY: r"\s*(?P<size>\d+) (?P<path>.+)",
    Ask.VALUE_TALLY: r"\s*(?P<size>\d+) .*",
    Ask.CHECKSUMS: r"[0-9a-f]{32,128}  (?P<path>.+)",
    Ask.CHECKSUM_OF_CHECKSUMS: r"[0-9a-f]{32,128}  -",
    Ask.LONG: r"[-dlbcps][rwxsStT-]{9}[.+@]?\s+\d+ .+ (?P<path>/?\S.*)",
    Ask.DIFFER: r"Files (?P<path>.+) and .+ differ|(?P<other>.+) .+ differ: .*",
    Ask.DIFFERENCES: r"[\d,]+[acd][\d,]+|[<>](?: .*)?|---|[-+@ \\].*|",
    Ask.TREE_DIFFERENCES: r"Only in .+: .+|Files .+ and .+ differ",
    Ask.MATCH_TALLY: r"(?P<path>.+):(?P<size>\d+)",
}


def fault(query: Query, output: str) -> str | None:
    """Return why an output is not what the query would print, or None when it fits."""
    rows = rows_of(output)
    if query.ask in (Ask.COUNT, Ask.TOTAL, Ask.MATCH_COUNT, Ask.OCCURRENCE_COUNT, Ask.VALUE_COUNT):
        return None if len(rows) == 1 and _NUMBER.match(rows[0]) else "no single number above zero"
    if query.ask in (Ask.LIST, Ask.MATCHING_FILES):
        return _path_fault(query, rows)
    if query.ask is Ask.NAMES:
        if len(rows) == 1 and not output.endswith("\n"):
            return "a single row without an end: names that may have run together"
        return _name_fault(query, rows)
    if query.ask is Ask.FOLDERS:
        return None if _outside(query, rows) is None else "a row that is no directory below the start"
    if query.ask is Ask.VALUES:
        return "repeated rows" if query.unique and len(set(rows)) < len(rows) else None
    if query.ask in (Ask.MATCHES, Ask.OCCURRENCES):
        return _match_fault(query, rows)
    if query.ask is Ask.ENTRIES:
        return _entry_fault(query, rows)
    if query.lists_directory and not re.fullmatch(r"total [\d.]+[KMGT]?", rows.pop(0)):
        return "no directory, whose listing would begin with its total"
    shape = re.compile(_SHAPES[query.ask])
    found = [shape.fullmatch(row) for row in rows if not re.fullmatch(r"\s*\d+ total", row)]
    if not found or not all(found):
        return "a row of another shape"
    sizes = [m["size"] for m in found if m is not None and "size" in m.groupdict()]
    if sizes and set(sizes) == {"0"}:
        return "nothing but zeros"
    paths = [m["path"] for m in found if m is not None and "path" in m.groupdict()]
    return (
        _path_fault(query, paths)
        if query.ask in (Ask.SIZES, Ask.USAGE, Ask.TALLY, Ask.CHECKSUMS, Ask.MATCH_TALLY)
        else None
    )


def _outside(query: Query, paths: list[str]) -> str | None:
    """Return the first path that does not lie in the places where the query looks."""
    roots = [root.text.rstrip("/") for root in query.files.roots] or ["."]
    if query.files.given:
        return next((path for path in paths if not any(fnmatchcase(path, root) for root in roots)), None)
    if "" in roots:
        return None
    starts = tuple(f"{root}/" for root in roots)
    return next((path for path in paths if not path.startswith(starts) and path not in roots), None)


def _path_fault(query: Query, paths: list[str]) -> str | None:
    outside = _outside(query, paths) if query.files.roots else None
    before = paths if outside is None else paths[: paths.index(outside)]
    why = _name_fault(query, [path.rstrip("/").rsplit("/", 1)[-1] for path in before])
    return why or (None if outside is None else f"the row {outside[:60]!r} does not lie in the place")


def _name_fault(query: Query, names: list[str]) -> str | None:
    tests = [(one.value, _test_of(one)) for one in query.files.conditions if one.kind.endswith("name")]
    for name in names:
        if not name or "/" in name:
            return f"the row {name[:60]!r} is no name"
        for value, fits in tests:
            if not fits(name):
                return f"the row {name[:60]!r} does not fit {value!r}"
    return None


def _test_of(condition: Condition) -> Callable[[str], bool]:
    """Return what tells whether a name fits a condition on names."""
    ignore_case, wanted = condition.kind.endswith("iname"), not condition.kind.startswith("not_")
    match = _wildcards(condition.value.lower() if ignore_case else condition.value).match
    return lambda name: (match(name.lower() if ignore_case else name) is not None) is wanted


@lru_cache(maxsize=256)
def _wildcards(patterns: str) -> re.Pattern[str]:
    """Return one pattern for names that fit one of some wildcards, which `OR` joins."""
    return re.compile("|".join(map(translate, patterns.split(OR))))


_LONG_ENTRY = re.compile(r"[-dlh][rwxsStT-]{9} \S+/\S+ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d (?P<path>\S.*)")


def _entry_fault(query: Query, rows: list[str]) -> str | None:
    paths = [match["path"] for row in rows if (match := _LONG_ENTRY.fullmatch(row))] if query.unit else rows
    if len(paths) < len(rows) or not all(paths):
        return "a row that is no entry of an archive"
    pattern = query.pattern
    if pattern is None:
        return None
    text = pattern.text.lower() if pattern.ignore_case else pattern.text
    missing = [path for path in paths if text not in (path.lower() if pattern.ignore_case else path)]
    return f"the entry {missing[0][:60]!r} has {pattern.text!r} only beside its path" if missing else None


def _match_fault(query: Query, rows: list[str]) -> str | None:
    pattern = query.pattern
    if pattern is None or pattern.place != "contains" or pattern.inverted:
        return None
    text = pattern.text.lower() if pattern.ignore_case else pattern.text
    missing = [row for row in rows if text not in (row.lower() if pattern.ignore_case else row)]
    return f"the row {missing[0][:60]!r} does not hold {pattern.text!r}" if missing else None
