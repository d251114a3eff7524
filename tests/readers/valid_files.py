"""One valid file, or several, of every format: `valid/<format>.<anything>`, or a folder `valid/<format>/` for formats of folders.

Invented by hand. Every reader needs at least one: tests and the fuzzer change them place by place.
"""

from __future__ import annotations

from pathlib import Path

from agenther.readers import READERS
from agenther.readers.discover import find_inputs

VALID = Path(__file__).parent / "valid"


def valid_files(format_name: str) -> list[Path]:
    found: list[Path] = []
    for path in sorted(VALID.iterdir()):
        if path.name.split(".")[0] == format_name:
            found += find_inputs(path)
    return found


ALL_VALID = [(name, path) for name in READERS for path in valid_files(name)]
IDS = [str(path.relative_to(VALID)) for _, path in ALL_VALID]
