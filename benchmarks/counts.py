"""The runs that are read from each source, beside the figures of its description, and why they differ.

python benchmarks/counts.py CORPORA > docs/measurements/counts.md

CORPORA holds a folder a source. The figures and the reasons stand in counts.toml. Exit status 1: a difference that no
reason explains, or a source without figures.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from agenther.cli.account import Account, PassedOver
from agenther.jobs.inputs import read_files
from agenther.versions import versions

FIGURES = Path(__file__).with_suffix(".toml")
KINDS = ("failed", "succeeded", "unlabelled", "unreadable")


def count(folder: Path) -> tuple[dict[str, Account], PassedOver]:
    """Read a source: counts by the first part of the path below its folder, and what was passed over."""
    groups: dict[str, Account] = {}
    passed = PassedOver()
    for file in read_files(folder, pass_over=passed.add):
        group = groups.setdefault(file.path.relative_to(folder).parts[0], Account())
        for item in file.items:
            group.add(item)
    return groups, passed


def difference(found: Counter[str], figures: dict[str, int]) -> dict[str, int]:
    """Return how much more than the figures is found of each kind, where it differs."""
    more = {kind: found[kind] - figures.get(kind, 0) for kind in KINDS}
    return {kind: n for kind, n in more.items() if n}


def explained(because: list[dict[str, Any]]) -> dict[str, int]:
    """Return the sum of the changes that have a reason."""
    total: Counter[str] = Counter()
    for one in because:
        if not one["reason"].strip():
            continue
        for kind, n in one["change"].items():
            total[kind] += n
    return {kind: n for kind, n in total.items() if n}


def signed(change: dict[str, int]) -> str:
    return ", ".join(f"{n:+} {kind}" for kind, n in change.items()) or "none"


def row(name: str, *cells: object) -> str:
    return f"| {name} | {' | '.join(map(str, cells))} |"


def report(
    counts: dict[str, tuple[dict[str, Account], PassedOver]], known: dict[str, Any]
) -> tuple[list[str], list[str]]:
    """Return the lines of the page and what is wrong."""
    wrong: list[str] = [f"{name}: not in the folder" for name in known if name not in counts]
    table, reasons, groups, passed = [], [], [], []
    for name, (accounts, left) in counts.items():
        found: Counter[str] = sum((account.counts for account in accounts.values()), Counter())
        own = known.get(name)
        if own is None:
            wrong.append(f"{name}: counts.toml has no figures")
            own = {"figures": {}}
        because = own.get("because", [])
        change = difference(found, own["figures"])
        if change != explained(because):
            wrong.append(f"{name}: differs by {signed(change)}, explained is {signed(explained(because))}")
        figures = [own["figures"].get(kind, 0) for kind in KINDS[:3]]
        table.append(
            row(name, found["runs"], *(found[kind] for kind in KINDS), " / ".join(map(str, figures)), signed(change))
        )
        reasons += [row(name, signed(one["change"]), one["reason"]) for one in because]
        groups += [
            row(name, g, a.counts["runs"], *(a.counts[kind] for kind in KINDS)) for g, a in sorted(accounts.items())
        ]
        passed += [row(name, n, why) for why, n in sorted(left.counts.items())]
    page = [
        "# Runs of each source, counted",
        "",
        f"Written by `python benchmarks/counts.py CORPORA`; versions {versions()}. *Described* are the figures that the",
        "description of each source gives (failed / succeeded / unlabelled), *unreadable* pieces that became errors.",
        "The command fails where a difference has no reason, or another one than the reasons add up to.",
        "",
        "| source | read | failed | succeeded | unlabelled | unreadable | described | difference |",
        "|---|--:|--:|--:|--:|--:|---|---|",
        *table,
        *("", "## Why they differ", "", "| source | change | reason |", "|---|---|---|", *reasons),
        *("", "## By group of files", "", "| source | group | read | failed | succeeded | unlabelled | unreadable |"),
        *("|---|---|--:|--:|--:|--:|--:|", *groups),
        *("", "## Files passed over", "", "| source | files | why |", "|---|--:|---|", *passed),
    ]
    return page, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    corpora = parser.parse_args().corpora
    known = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    counts = {folder.name: count(folder) for folder in sorted(corpora.iterdir()) if folder.is_dir()}
    page, wrong = report(counts, known)
    print("\n".join(page))
    for line in wrong:
        print(f"not explained: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
