"""Runs of test suites: which commands run tests, and what their printed summaries count and name.

Only commands that always run the same tests are taken: no selection by expression, by last failures, by shard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agenther.stages.language.shell.parse import Refused, Word, parse_pipeline


@dataclass(frozen=True)
class Suite:
    """A command that runs tests."""

    runner: str
    """pytest, unittest, or any"""
    command: str
    """The command without a leading `cd` and without what only shortens its output."""
    place: str
    """Directory to which the command first went; empty when it stayed."""
    targets: tuple[str, ...]
    """Files, directories or ids of tests; empty for all."""


@dataclass(frozen=True)
class Count:
    """What a summary says."""

    passed: int
    failed: int
    """Tests that failed, and errors."""
    errors: int
    """Files or fixtures that could not even be run: how many tests they hold is not known."""
    other: tuple[tuple[str, int], ...] = ()
    """Skipped, expected to fail, deselected and so on."""
    failing: frozenset[str] = frozenset()
    """Names of all that failed; empty when not all are named."""

    @property
    def total(self) -> int:
        """Number of tests that the summary speaks of."""
        return self.passed + self.failed + sum(n for _, n in self.other)


_CD = re.compile(r"\s*cd\s+(?P<place>[\w./-]+)\s*&&\s*")
_MERGED = re.compile(r"\s*2>&1(?=\s*(?:\||\Z))")
_FLAGS = re.compile(
    r"-(?:[vqslx]+|r\w+|vv)|--(?:tb=\w+|no-header|color=\w+|disable-warnings|verbose|quiet|exitfirst|maxfail=\d+|race|count=1)"
    r"|-count=1|-race|--"
)
_STOPS = re.compile(r"-\w*x\w*|--exitfirst|--maxfail=\d+")
_WHOLE = (
    re.compile(r"npm (?:run )?test|yarn (?:run )?test|pnpm (?:run )?test|npx (?:jest|mocha|vitest run)"),
    re.compile(r"go test(?: \./\.\.\.| \.)?"),
    re.compile(r"cargo test"),
    re.compile(r"make (?:test|check)"),
)


def read_suite(command: str) -> Suite | None:
    """Return what a command tests; None when it is no run of tests, or of tests chosen in a way that cannot be said."""
    cd = _CD.match(command)
    bare = _MERGED.sub("", command[cd.end() :] if cd else command).strip()
    try:
        first, *rest = parse_pipeline(bare)
    except Refused:
        return None
    if any(one.name != "tail" for one in rest):
        return None
    words = first.words
    runner, n = _runner([word.text for word in words])
    options = [word.text for word in words[n:] if word.text.startswith("-")]
    targets = tuple(word.text for word in words[n:] if not word.text.startswith("-"))
    if not runner or not all(_FLAGS.fullmatch(option) for option in options) or any(_is_pattern(w) for w in words[n:]):
        return None
    text = bare[words[0].start : words[-1].end]
    if runner == "any":
        plain = " ".join(word.text for word in words if not word.text.startswith("-"))
        if not any(whole.fullmatch(plain) for whole in _WHOLE):
            return None
        targets = ()
    return Suite(runner, text, cd["place"] if cd else "", targets)


def _is_pattern(word: Word) -> bool:
    return word.glob and "[" not in word.text


def _runner(words: list[str]) -> tuple[str, int]:
    """Return the runner and how many words name it."""
    if words[0] in ("pytest", "py.test"):
        return "pytest", 1
    if words[0] in ("python", "python3") and words[1:2] == ["-m"] and words[2:3] in (["pytest"], ["unittest"]):
        return words[2], 3
    return ("any", len(words)) if words[0] in ("npm", "yarn", "pnpm", "npx", "go", "cargo", "make") else ("", 0)


def stops_early(suite: Suite) -> bool:
    """Tell whether the run ends at a failure, so that its counts are not those of the whole suite."""
    return any(_STOPS.fullmatch(word) for word in suite.command.split())


_PYTEST = re.compile(
    r"^=*\s*(?P<counts>\d+ [a-z]+(?:, \d+ [a-z]+)*) in \d[\d.]*s(?: \([\d:]+\))?\s*=*\s*$", re.MULTILINE
)
_PYTEST_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<name>\S.*?)(?: - .*)?$", re.MULTILINE)
_COUNT = re.compile(r"(\d+) ([a-z]+)")
_UNITTEST = re.compile(
    r"^Ran (?P<n>\d+) tests? in [\d.]+s\s+(?P<end>OK|FAILED)(?: \((?P<counts>[^)]*)\))?\s*$", re.MULTILINE
)
_JEST_SUITES = re.compile(r"^Test Suites:\s+(?P<counts>.*\d+ total)\s*$", re.MULTILINE)
_JEST = re.compile(r"^Tests:\s+(?P<counts>.*\d+ total)\s*$", re.MULTILINE)
_MOCHA = re.compile(r"^\s*(?P<n>\d+) (?P<what>passing|failing|pending)\b", re.MULTILINE)
_GO = re.compile(r"^(?P<end>ok|FAIL)[ \t]+\S+.*$", re.MULTILINE)
_CARGO = re.compile(
    r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured; (\d+) filtered out",
    re.MULTILINE,
)


def count_of(suite: Suite, printed: str) -> Count | None:
    """Return what the printed summary counts; None when there is none, or several that do not agree on the runner."""
    text = printed.replace("\r\n", "\n")
    if suite.runner != "any":
        return _READERS[suite.runner](text)
    found = [count for read in _READERS.values() if (count := read(text)) is not None]
    return found[0] if len(found) == 1 else None


def _of_pytest(text: str) -> Count | None:
    summaries = list(_PYTEST.finditer(text))
    if len(summaries) != 1:
        return None
    counts = {
        what.removesuffix("s") if what.startswith("error") else what: int(n)
        for n, what in _COUNT.findall(summaries[0]["counts"])
    }
    failed, errors = counts.pop("failed", 0), counts.pop("error", 0)
    passed = counts.pop("passed", 0)
    counts = {what: n for what, n in counts.items() if not what.startswith("warning")}
    names = frozenset(match["name"] for match in _PYTEST_FAILED.finditer(text))
    complete = len(names) == failed + errors
    return Count(passed, failed, errors, tuple(sorted(counts.items())), names if complete else frozenset())


def _of_unittest(text: str) -> Count | None:
    summaries = list(_UNITTEST.finditer(text))
    if len(summaries) != 1:
        return None
    match = summaries[0]
    counts = {name: int(n) for name, n in re.findall(r"([a-z ]+)=(\d+)", match["counts"] or "")}
    failed, errors = counts.pop("failures", 0), counts.pop("errors", 0)
    if (match["end"] == "OK") is (failed + errors > 0):
        return None
    other = tuple(sorted((name.strip(), n) for name, n in counts.items()))
    return Count(int(match["n"]) - failed - errors - sum(n for _, n in other), failed, errors, other)


def _of_jest(text: str) -> Count | None:
    suites, tests = list(_JEST_SUITES.finditer(text)), list(_JEST.finditer(text))
    if len(suites) != 1 or len(tests) != 1:
        return None
    counts = {what: int(n) for n, what in _COUNT.findall(tests[0]["counts"])}
    broken = {what: int(n) for n, what in _COUNT.findall(suites[0]["counts"])}.get("failed", 0)
    counts.pop("total", None)
    failed, passed = counts.pop("failed", 0), counts.pop("passed", 0)
    return Count(passed, failed, broken if not failed else 0, tuple(sorted(counts.items())))


def _of_mocha(text: str) -> Count | None:
    counts: dict[str, int] = {}
    for match in _MOCHA.finditer(text):
        if match["what"] in counts:
            return None
        counts[match["what"]] = int(match["n"])
    if "passing" not in counts:
        return None
    other = (("pending", counts["pending"]),) if counts.get("pending") else ()
    return Count(counts["passing"], counts.get("failing", 0), 0, other)


def _of_go(text: str) -> Count | None:
    ends = [match["end"] for match in _GO.finditer(text)]
    if not ends:
        return None
    return Count(ends.count("ok"), ends.count("FAIL"), int("[build failed]" in text or "[setup failed]" in text))


def _of_cargo(text: str) -> Count | None:
    found = [[int(n) for n in row] for row in _CARGO.findall(text)]
    if not found:
        return None
    passed, failed, ignored, filtered = (sum(column) for column in zip(*found, strict=True))
    other = tuple((name, n) for name, n in (("filtered", filtered), ("ignored", ignored)) if n)
    return Count(passed, failed, 0, other)


_READERS: dict[str, Callable[[str], Count | None]] = {
    "pytest": _of_pytest,
    "unittest": _of_unittest,
    "jest": _of_jest,
    "mocha": _of_mocha,
    "go": _of_go,
    "cargo": _of_cargo,
}
"""Runner to what reads its summary."""


def now_pass(suite: Suite, before: Count, after: Count) -> frozenset[str] | None:
    """Return the names of the tests that failed before and pass after; empty for "all of them", None when that is not sure.

    Nothing may be skipped that was not, no test may be missing, and nothing else may fail.
    """
    if not before.failed + before.errors or after.passed <= before.passed or after.total < before.total:
        return None
    whole = not before.errors and not stops_early(suite)
    if whole and (before.total != after.total or before.other != after.other):
        return None
    if not after.failed + after.errors:
        return frozenset() if whole or not after.other else None
    fixed = before.failing - after.failing
    named = len(before.failing) == before.failed and len(after.failing) == after.failed
    sure = whole and named and not after.errors and after.failing < before.failing
    return fixed if sure and after.passed == before.passed + len(fixed) else None
