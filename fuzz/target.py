"""What is fuzzed: any bytes as a file of any format, and whatever run comes of them through redaction and all rules.

Coverage-guided (atheris, libFuzzer). The first byte of an input chooses the reader, the second the suffix of the file, the
rest is the file. Half of the mutations change the bytes, half change one place of the JSON that they hold. Nothing may raise but
what a reader yields as a ReadError; what raises is kept with its traceback, once for each place that raised.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import tempfile
import traceback
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agenther"]):
    from agenther.conclusions import Result
    from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL, Config
    from agenther.errors import ReadError
    from agenther.pipeline import relabel
    from agenther.readers import READERS
    from agenther.readers.discover import pick_reader
    from agenther.stages.parts import rule_parts
    from agenther.stages.redact import redact
    from agenther.trajectory import Trajectory

from fuzz.mutate import mutate_json

CONFIG = Config(domains=(*DOMAINS_ON, *DOMAINS_OPTIONAL))
SEEDS = (Path("tests/readers/valid"), Path("examples/runs"))
SUFFIXES = (".json", ".jsonl", ".log", ".traj")
PARTS = rule_parts(CONFIG)


def code_of(format_name: str) -> int:
    """Return the first byte that stands for a format; it stays the same when formats are added."""
    return zlib.crc32(format_name.encode()) % 256


def write_seeds(folder: Path) -> None:
    """Write each valid file as an input that its reader is chosen for."""
    for path in sorted(p for seeds in SEEDS for p in seeds.rglob("*") if p.is_file()):
        reader = pick_reader(path)
        if not isinstance(reader, ReadError):
            suffix = SUFFIXES.index(path.suffix) if path.suffix in SUFFIXES else 0
            name = f"{path.parent.name}-{path.name}"
            (folder / name).write_bytes(bytes([code_of(reader.format), suffix]) + path.read_bytes())


def check(content: bytes, reader_format: str, path: Path) -> None:
    """Read a file and conclude about its runs; raises whatever is a fault."""
    path.write_bytes(content)
    pick_reader(path)
    for item in READERS[reader_format].read(path):
        if isinstance(item, ReadError):
            str(item).encode()
        else:
            check_run(item)


def check_run(run: Trajectory) -> None:
    """Conclude about a run; raises whatever is a fault."""
    assert run.key
    stored = redact(run).model_copy(update={"success": False})
    result = asyncio.run(relabel(stored, PARTS, CONFIG))
    assert bool(result.examples) != (result.drop is not None)
    assert Trajectory.model_validate_json(stored.model_dump_json()) == stored
    assert Result.model_validate_json(result.model_dump_json()) == result


class Faults:
    """Keeps each fault once, as the input that showed it and its traceback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes, error: BaseException) -> None:
        """Write down an input and what it raised."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "agenther" in f.filename]
        last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).stem}.{last.name}:{last.lineno}:{type(error).__name__}"
        name = f"{Path(last.filename).stem}-{last.name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
        if not (self._folder / f"{name}.txt").exists():
            (self._folder / f"{name}.bin").write_bytes(data)
            (self._folder / f"{name}.txt").write_text("".join(traceback.format_exception(error)), errors="replace")


def main() -> None:
    """Fuzz; the arguments are libFuzzer's, the last one is the folder that seeds are written to."""
    write_seeds(Path(sys.argv[-1]))
    faults = Faults(Path(os.environ.get("FUZZ_FAULTS", "fuzz-out/faults")))
    folder = Path(tempfile.mkdtemp(prefix="agenther-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))

    def one_input(data: bytes) -> None:
        if len(data) < 2:
            return
        format_name = min(READERS, key=lambda name: (code_of(name) - data[0]) % 256)
        try:
            check(data[2:], format_name, folder / f"run{SUFFIXES[data[1] % len(SUFFIXES)]}")
        except Exception as error:
            faults.keep(data, error)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        made = data[:2] + mutate_json(data[2:], chance) if chance.random() < 0.6 else b""
        return made if 2 < len(made) <= max_size else atheris.Mutate(data, max_size)

    atheris.Setup(sys.argv, one_input, custom_mutator=mutate, internal_libfuzzer=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
