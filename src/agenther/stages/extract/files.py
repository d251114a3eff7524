"""Short files that a run wrote and then showed."""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Claim
from agenther.record import Json, JsonObject
from agenther.stages.language.code.written import Written, find_written
from agenther.trajectory import Trajectory


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield one claim for the first short file that was written and shown."""
    written = find_written(trajectory)
    if written is not None:
        yield Claim(
            text=f"wrote {written.edit.path}, and its {'output' if written.is_script else 'content'} was shown",
            kind="files.effect",
            evidence=(written.call, written.shown),
            data=data_of(written),
        )


def data_of(written: Written) -> JsonObject:
    """Return the substance: where the file was written and shown, its path and its lines."""
    return {
        "written": written.call.step,
        "shown": written.shown.step,
        "path": written.edit.path,
        "lines": list[Json](written.lines),
        "script": written.is_script,
    }
