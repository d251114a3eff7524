"""Which code decides results: the stored ones hold only while it is the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agenther import __version__
from agenther.record import JsonObject

_HOME = Path(__file__).parent
_DECIDING = (
    "*.py",
    "jobs/process.py",
    "llm/body.py",
    "llm/structured.py",
    "readers/**/*.py",
    "environments/**/*.py",
    "stages/**/*.py",
    "stages/**/*.toml",
    "stages/**/*.md",
)
"""Files of this package that decide the Result of a run; those that keep, print or write it do not."""
_LIBRARIES = ("sqlglot", "lemminflect")
"""Libraries whose answers decide it too."""


@cache
def versions() -> JsonObject:
    """Return the version of the package and a digest of what decides results (`rules`), the same for the whole process."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _DECIDING for path in _HOME.glob(pattern)}):
        digest.update(f"{path.relative_to(_HOME).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    for name in _LIBRARIES:
        digest.update(f"{name}\0{_version_of(name)}\0".encode())
    return {"agenther": __version__, "rules": digest.hexdigest()[:16]}


def _version_of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
