"""The loss curve of a training: a line of JSON for each point, and a picture where matplotlib is installed."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from transformers import TrainerCallback

CURVE, PICTURE = "loss.jsonl", "loss.png"


class LossCurve(TrainerCallback):
    """Writes each point when it is logged. A resumed training first goes back to what its checkpoint knows.

    Args:
        folder: where the curve is written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / CURVE

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the points of the checkpoint that the training goes on from."""
        if state.is_world_process_zero:
            self._file.write_bytes(b"".join(_line(point) for point in state.log_history))

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Add the latest point."""
        if state.is_world_process_zero:
            with self._file.open("ab") as file:
                file.write(_line(state.log_history[-1]))


def _line(point: dict[str, Any]) -> bytes:
    return orjson.dumps(point, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)


def draw_curve(folder: Path) -> Path | None:
    """Draw the curve of a folder and return the picture; None where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    points = [orjson.loads(line) for line in (folder / CURVE).read_bytes().splitlines()]
    losses = [(point["step"], point["loss"]) for point in points if "loss" in point]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([step for step, _ in losses], [loss for _, loss in losses])
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    figure.savefig(folder / PICTURE, dpi=120)
    return folder / PICTURE
