"""The tools of a coding agent in a temporary folder: a shell that keeps its directory and an editor, as harnesses print them.

Nothing but commands of the benchmark's own walker is run here; the folder is called `/repo` in what is shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from agenther.record import JsonObject

STYLES = ("plain", "footed", "claude")
SHELL = {"plain": "bash", "footed": "execute_bash", "claude": "Bash"}
"""Style of the tools to the name of the shell."""
TIMEOUT_S = 60


def environment(home: Path) -> dict[str, str]:
    """Return the variables that every process sees: no plugins, no files beside those of the project."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }


class Sandbox:
    """A copy of a project in a folder, with the tools of an agent."""

    def __init__(self, folder: Path, files: dict[str, str], style: str) -> None:
        self.root, self.style = folder / "root", style
        self.cwd = self.root
        self._home = folder
        self._undo: dict[Path, str] = {}
        for path, text in files.items():
            self.put(path, text)

    def put(self, path: str, text: str) -> None:
        """Write a file of the project."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def files(self) -> dict[str, str]:
        """Return all files of the project."""
        return {
            str(path.relative_to(self.root)): path.read_text(encoding="utf-8")
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def act(self, name: str, arguments: JsonObject) -> str:
        """Carry out a call and return what its tool prints."""
        values = {key: value if isinstance(value, str) else str(value) for key, value in arguments.items()}
        if name in SHELL.values():
            return self.shell(values["command"])
        verb = values.get("command", {"Read": "view", "Edit": "str_replace", "Write": "create"}.get(name, ""))
        path = self._inside(values.get("path") or values["file_path"])
        said = self._shown(path)
        if verb == "create":
            return self._create(path, values.get("file_text") or values.get("content") or "")
        if not path.is_file():
            return f"The path {said} does not exist. Please provide a valid path."
        text = path.read_text(encoding="utf-8")
        if verb == "view":
            return f"Here's the result of running `cat -n` on {said}:\n{numbered(text)}"
        if verb == "undo_edit":
            path.write_text(self._undo.get(path, text), encoding="utf-8")
            return f"Last edit to {said} undone successfully."
        old, new = (
            values.get("old_str", values.get("old_string", "")),
            values.get("new_str", values.get("new_string", "")),
        )
        if (n := text.count(old)) != 1:
            why = "did not appear verbatim" if n == 0 else "appears more than once: Multiple occurrences of old_str"
            return f"No replacement was performed, old_str `{old}` {why} in {said}."
        self._undo[path] = text
        path.write_text(text.replace(old, new), encoding="utf-8")
        done = "updated" if self.style == "claude" else "edited"
        return f"The file {said} has been {done}. Here's the result of running `cat -n`:\n{numbered(text.replace(old, new))}"

    def _create(self, path: Path, text: str) -> str:
        said = self._shown(path)
        if path.exists() and self.style == "plain":
            return f"File already exists at: {said}. Cannot overwrite files using command `create`."
        existed = path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        updated = f"The file {said} has been updated successfully."
        return updated if existed and self.style == "claude" else f"File created successfully at: {said}"

    def shell(self, command: str) -> str:
        """Run a command where the shell stands and return what it prints; the shell keeps its directory."""
        where = self._home / "cwd"
        code, printed = self.run(f"{self._real(command)}\n__code=$?; pwd > {where}; exit $__code", self.cwd)
        if where.exists():
            self.cwd = Path(where.read_text().strip())
        said = printed.replace(str(self.root), "/repo").rstrip("\n")
        if self.style == "footed":
            said += f"\n[The command completed with exit code {code}.]\n[Current working directory: {self._shown(self.cwd)}]"
        return said

    def run(self, script: str, where: Path) -> tuple[int, str]:
        """Run a shell script of ours in a new process."""
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=where,
            env=environment(self._home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _inside(self, path: str) -> Path:
        found = Path(os.path.normpath(self.cwd / self._real(path)))
        assert found.is_relative_to(self.root), path
        return found

    def _real(self, text: str) -> str:
        return re.sub(r"/repo\b", str(self.root), text)

    def _shown(self, path: Path) -> str:
        return str(path).replace(str(self.root), "/repo")


def numbered(text: str) -> str:
    """Return a text with numbers before its lines."""
    return "".join(f"{n:6}\t{line}\n" for n, line in enumerate(text.splitlines(), 1))
