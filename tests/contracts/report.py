"""The table of what frameworks make of our rows: lines of a file, of which a run replaces those that it measured."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.contracts.compare import Count

from agenther.writers import WRITERS

INTRO = """# Training rows, loaded by the frameworks themselves

Written by `make contracts` (`tests/contracts`): each framework's own loader and template takes the rows, and the tokens that
carry loss are compared with the labels, one by one. The tokenizer is the tiny model's, whose tokens are bytes.
"""
COLUMNS = (
    *("rows of", "consumer", "kind", "rows", "loaded", "dropped", "tokens", "trained"),
    *("of others trained", "of the agent missed", "other text", "checked with", "commit", "date"),
)
RULE = f"|---|---|---|{'---:|' * 8}---|---|---|"
NOTES = """
- *of others trained*: characters whose loss counts and must not, by whose they are: results (`tool`), `user`, `system`, the marks
  of the template (`mark`), agent turns that are not to be imitated (`masked`).
- *of the agent missed*: characters of turns that must be trained and are not. *Other text*: sides whose text is not the expected.
- openai: rows are validated by the types of the `openai` package and carry no unknown key; only the provider knows its tokens.
- sharegpt: FastChat's own mask leaves out the mark that ends a turn (`</s>`, four characters a turn): that is all that is missed.
- No line: the consumer has no such kind, or no row of the material has its form (`set_aside.jsonl` says why).
"""


def line_of(material: str, consumer: str, kind: str, count: Count, checked: str, commit: str) -> str:
    """Return a count as a line of the table."""
    others = ", ".join(f"{n} {role}" for role, n in sorted(count.wrongly.items())) or "0"
    tokens: tuple[object, ...] = (count.tokens, count.trained, others, count.missed) if count.tokens else ("",) * 4
    numbers = (count.rows, count.loaded, count.rows - count.loaded, *tokens, len(count.unlike))
    return _joined((material, consumer, kind, *numbers, checked, commit, datetime.now(UTC).date()))


def commit_now() -> str:
    """Return the commit of the work tree."""
    told = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(told, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()


def head() -> str:
    """Return the first two lines of the table."""
    return f"{_joined(COLUMNS)}\n{RULE}"


def update(path: Path, measured: Iterable[str]) -> None:
    """Write the report, with lines of earlier runs where nothing was measured anew."""
    known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = {_key(line): line for line in [*known, *measured] if len(_cells(line)) == len(COLUMNS)}
    lines = {key: line for key, line in lines.items() if key[1] in WRITERS}
    order = sorted(lines, key=lambda key: (key[0] != "hand-made rows", key[0], list(WRITERS).index(key[1]), key[2]))
    table = "\n".join([head(), *(lines[key] for key in order)])
    path.write_text(f"{INTRO}\n{table}\n{NOTES}", encoding="utf-8")


def _joined(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def _key(line: str) -> tuple[str, str, str]:
    material, consumer, kind = _cells(line)[:3]
    return material, consumer, kind
