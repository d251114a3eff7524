"""What `make contracts` runs beside the rows: each framework reads the settings of every preset and finds the paper's numbers.

    python -m tests.contracts.presets NAME PYTHON MODEL

Exits with 1 when a file is refused, a key is unknown, or a number is another than the preset's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.contracts.material import make_out

from agenther.presets import read_preset

METHODS = {"sft_last": "sft", "goal_contrast": "goal-contrast"}
SEEN = (
    *("learning_rate", "epochs", "schedule", "warmup", "device_batch"),
    *("lora_r", "lora_alpha", "lora_dropout", "lora_targets"),
)


def faults_of(line: dict[str, Any]) -> list[str]:
    """Return what a framework read otherwise than the preset says."""
    path = Path(line["path"])
    preset, kind = path.parent.name, path.stem
    meant = read_preset(preset, METHODS.get(kind, kind))
    found = [f"{key} {line[key]}" for key in SEEN if _same(line[key]) != _same(meant[key])]
    if line["device_batch"] * line["accumulation"] != meant["batch"]:
        found.append(f"accumulation {line['accumulation']}")
    if not kind.startswith("sft") and line["beta"] != meant["beta"]:
        found.append(f"beta {line['beta']}")
    return [f"{preset}/{kind}: {fault}" for fault in (*found, *line["unknown"])]


def _same(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def main() -> int:
    """Check one framework."""
    name, python, model = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        out = make_out(Path(folder) / "out") / "train" / name
        paths = sorted(str(path.relative_to(out)) for path in (out / "presets").rglob("*.yaml"))
        script = str(Path(__file__).resolve().with_name(f"presets_{name}.py"))
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [python, script, model, *paths], cwd=out, env=environment, capture_output=True, text=True, check=False
        )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"path"')]
    faults = [fault for line in lines for fault in faults_of(line)]
    print(f"{name} presets: files {len(paths)}, read {len(lines)}, faults {faults or 0}")
    if done.returncode or len(lines) != len(paths) or faults or not paths:
        print(done.stderr[-1500:])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
