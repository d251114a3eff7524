"""Tell whether two versions of the code conclude the same: run both on the same inputs, compare all that they wrote.

git worktree add /tmp/base HEAD && python benchmarks/same_outputs.py /tmp/base/src INPUT...

Compared are every .jsonl file and README.md of the output, byte by byte, and the stored run and Result of every content;
the digest of the code, which differs, is left out. For a change that shall make things faster and change nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.trajectory import Trajectory

_DIGEST = re.compile(rb'"rules":"[0-9a-f]{16}"')
HERE = Path(__file__).parents[1] / "src"


def outputs(source: Path, inputs: list[str], out: Path) -> dict[str, bytes]:
    """Run the code that lies in `source` and return what it wrote, by file name."""
    command = [sys.executable, "-m", "agenther", "run", *inputs, "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    status = subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode
    if not (out / "manifest.json").exists():
        sys.exit(f"{source}: agenther ended with status {status} and wrote nothing")
    written = sorted(path for path in out.rglob("*") if path.suffix == ".jsonl" or path.name == "README.md")
    texts = {path.relative_to(out).as_posix(): path.read_bytes() for path in written} | dict(stored(out / "run.sqlite"))
    return {name: _DIGEST.sub(b"", text) for name, text in texts.items()}


def stored(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the stored run, with all that it has by default, and the Result of each occurrence, under the name of this one."""
    query = """SELECT o.ordinal, o.id, r.trajectory, r.result FROM occurrences o JOIN results r ON r.key = o.key"""
    with sqlite3.connect(path) as db:
        for ordinal, own_id, run, result in db.execute(query):
            whole = Trajectory.model_validate_json(run).model_dump(mode="json", exclude={"source"}) | {"id": own_id}
            concluded = orjson.loads(result)
            for example in concluded["examples"]:
                example |= {"trajectory_id": own_id, "source": None}
            yield f"store {ordinal} {own_id}", orjson.dumps([whole, concluded])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="the src folder of the other version")
    parser.add_argument("inputs", nargs="+")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = outputs(args.base, args.inputs, Path(folder, "before"))
        after = outputs(HERE, args.inputs, Path(folder, "after"))
    differing = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    for name in differing[:20]:
        print(f"differs: {name}")
    print(f"{len(before)} files and stored runs, {len(differing)} differ")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
