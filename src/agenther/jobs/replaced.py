"""What a job took the place of in its output folder, in one line: an earlier manifest compared with the new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import orjson

from agenther.record import JsonObject
from agenther.texts import path_text


def find_manifest(out: Path) -> JsonObject | None:
    """Return the manifest of a finished job, None where there is none."""
    try:
        found = orjson.loads((out / "manifest.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return cast(JsonObject, found) if isinstance(found, dict) else None


def consumers_of(manifest: JsonObject) -> set[str]:
    """Return the consumers that a folder has rows or files for."""
    return {parts[1] for path in cast(dict[str, int], manifest.get("rows", {})) if len(parts := path.split("/")) == 3}


def said_replaced(out: Path, before: JsonObject) -> str | None:
    """Return in words what an earlier job left that the folder no longer holds; None where the same command went on.

    Args:
        out: the folder.
        before: its manifest before the job.
    """
    if (after := find_manifest(out)) is None:
        return None
    gone = sorted(consumers_of(before) - consumers_of(after))
    parts = [*_changed(before, after)]
    if gone:
        again = f"agenther export {path_text(out)} --for {','.join(gone)}"
        parts.append(f"rows of {', '.join(gone)} were removed (`{again}` writes them again)")
    return f"replaced the files of an earlier job in {path_text(out)}: {'; '.join(parts)}" if parts else None


def _changed(before: JsonObject, after: JsonObject) -> list[str]:
    """Return what differs in what the two jobs were told."""
    old, new = (cast(dict[str, Any], one.get("config", {})) for one in (before, after))
    settings = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    marks = [_marks(one) for one in (before, after)]
    read = [cast(dict[str, int], one.get("counts", {})).get("read", 0) for one in (before, after)]
    parts = [f"other settings ({', '.join(settings)})"] if settings else []
    if marks[0] != marks[1] or read[0] != read[1]:
        parts.append(f"other inputs ({read[0]} runs before, {read[1]} now)")
    if before.get("versions") != after.get("versions"):
        parts.append("other versions of agenther or its libraries")
    return parts


def _marks(manifest: JsonObject) -> list[Any]:
    return sorted(str(mark.get("sha256")) for mark in cast(list[dict[str, Any]], manifest.get("inputs", [])))
