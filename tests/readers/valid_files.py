"""One valid file, or several, of every format: `valid/<format>.<anything>`, or a folder `valid/<format>/` for formats of folders.

Invented by hand. Every reader needs at least one: tests and the fuzzer change them place by place.
"""

from __future__ import annotations

import shutil
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


def copy_beside(source: Path, folder: Path) -> Path:
    """Copy a valid file, with what lies beside it when its format is one of folders, and return the copy."""
    if source.parent == VALID:
        return Path(shutil.copy(source, folder))
    shutil.copytree(source.parent, folder / source.parent.name)
    return folder / source.parent.name / source.name


ALL_VALID = [(name, path) for name in READERS for path in valid_files(name)]
IDS = [str(path.relative_to(VALID)) for _, path in ALL_VALID]
