"""What `make contracts` runs: each framework, in an environment of its own, loads our rows and shows what it would train.

    python -m tests.contracts.run MODEL NAME=PYTHON... [--out OUT] [--of WORDS] [--commit COMMIT] [--report FILE] [--keep FOLDER]

Without --out the rows are invented, and try what is hard; OUT is a finished job with all rows on the training side. Prints a
table, and exits with 1 when a row is lost, or a token trains that must not, or one that must does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.contracts.compare import Count
from tests.contracts.expected import turns_of
from tests.contracts.material import make_out
from tests.contracts.report import commit_now, head, line_of, update
from tests.contracts.truth import Truth

from agenther.train.encoders import ENCODERS
from agenther.writers import WRITERS

TEMPLATES = {"swift": ["qwen2_5"]}
PACKAGES = {"sharegpt": "fschat", "swift": "ms-swift", "openai": "openai"}
SRC = Path(__file__).parents[2] / "src"
CHECK_OPENAI = Path(__file__).with_name("check_openai.py")


def count(out: Path, truth: Truth, name: str, kind: str, lines: Iterator[dict[str, Any]]) -> Count:
    """Count what a framework makes of the rows of a kind."""
    rows = [json.loads(line) for line in rows_of(out, name, kind).read_bytes().splitlines()]
    found = Count(rows=len(rows))
    for line in lines:
        if name == "openai":
            found.loaded += 1
            continue
        messages, trained = truth.sides(name, kind, rows[line["row"]])[line["side"]]
        found.add(line, turns_of(name, kind, messages, trained))
    for difference in found.unlike[:3]:
        sys.stderr.write(f"{name} {kind}: {difference}\n")
    return found


def rows_of(out: Path, name: str, kind: str) -> Path:
    """Return the file with the rows of a kind."""
    return out / "train" / name / f"{kind}.jsonl"


def encoded(out: Path, name: str, kind: str, python: str, model: str, keep: Path | None) -> Iterator[dict[str, Any]]:
    """Yield what a framework makes of rows, from `keep` where it is known of the same rows."""
    rows = rows_of(out, name, kind)
    told = [python, "-m", "agenther.train.encoders", name, str(out), kind, "train", model, *TEMPLATES.get(name, [])]
    if name == "openai":
        told = [python, str(CHECK_OPENAI), str(rows), kind]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = (keep or folder) / f"{name}_{kind}.{hashlib.sha256(rows.read_bytes()).hexdigest()[:12]}.jsonl"
        if not path.exists():
            part = path.with_suffix(".part")
            own = {"PYTHONPATH": str(SRC), "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder)}
            with part.open("w") as lines, (folder / "errors").open("w+") as errors:
                done = subprocess.run(told, stdout=lines, stderr=errors, env=os.environ | own, check=False)
                errors.seek(0)
                sys.stderr.write(errors.read()[-1500:] if done.returncode else "")
            path = part if done.returncode else part.rename(path)
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def framework(name: str, python: str) -> str:
    """Return name and version of what checks a consumer's rows, and of what it builds on."""
    ask = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"
    packages = [PACKAGES.get(name, name), *(["transformers"] if name in ENCODERS else [])]
    done = subprocess.run([python, "-c", ask, *packages], capture_output=True, text=True, check=True)
    return ", ".join(f"{package} {version}" for package, version in zip(packages, done.stdout.split(), strict=True))


def main() -> int:
    """Print the table, and write the report."""
    told = _arguments()
    status, measured, commit = 0, list[str](), told.commit or commit_now()
    print(head())
    with tempfile.TemporaryDirectory() as folder:
        out = told.out or make_out(Path(folder) / "out")
        truth = Truth(out)
        for name, python in (one.split("=", 1) for one in told.frameworks):
            checked = framework(name, python)
            for kind in WRITERS[name].kinds:
                path = rows_of(out, name, kind)
                if not path.exists() or not path.stat().st_size:
                    continue
                one = count(out, truth, name, kind, encoded(out, name, kind, python, told.model, told.keep))
                measured.append(line_of(told.of, name, kind, one, checked, commit))
                print(measured[-1], flush=True)
                status |= not one.faultless
    if told.report:
        update(told.report, measured)
    return status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("frameworks", nargs="+", metavar="NAME=PYTHON")
    parser.add_argument("--out", type=Path, help="a finished job; default: invented rows")
    parser.add_argument("--of", default="hand-made rows", help="what the report calls the rows")
    parser.add_argument("--commit", help="the commit that made OUT, where it is another than the work tree's")
    parser.add_argument("--report", type=Path, help="the table to bring up to date")
    parser.add_argument("--keep", type=Path, help="a folder for what frameworks made, not to be made again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
