"""Load task folders with Harbor's own classes, with its Python, and print a JSON line a folder.

python load_harbor.py FOLDER
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path

from harbor.models.task.task import Task

for folder in sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_dir()):
    task = Task(folder)
    print(
        json.dumps(
            {
                "folder": folder.name,
                "valid": Task.is_valid_dir(folder),
                "name": task.name,
                "instruction": task.instruction,
                "solution": task.paths.discovered_solve_path is not None,
                "schema": task.config.schema_version,
            }
        )
    )
