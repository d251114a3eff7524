"""A seeded walker that acts like a coding agent in an invented project, with a real shell and real pytest.

It runs only commands that are composed here, inside a temporary folder, which its runs call `/repo`.
"""

from __future__ import annotations

import json
import os
import posixpath
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agenther.record import JsonObject
from agenther.testing.make import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Trajectory
from code_repos import REPOS, Bug, Repo
from code_sandbox import SHELL, STYLES, Sandbox

GOALS = (
    "Let the foreman export the invoices of a season as a spreadsheet, one sheet for every customer.",
    "Translate every message of the command line into Norwegian and let the user choose by a flag.",
    "Replace the hand-written parser of options by a library, and keep each option working as before.",
    "Write a page for the manual that explains how to move a customer's data to another machine.",
)
SCRIPTS = ("repro.py", "err.py", "check_it.py", "run.py", "scratch/try_it.py", "test_scratch.py", "tests/test_more.py")
Call = tuple[str, JsonObject]


class Agent:
    """Chooses what to do next: mostly what a patient programmer does, often enough something else."""

    def __init__(self, rng: random.Random, repo: Repo, bugs: tuple[Bug, ...], box: Sandbox) -> None:
        self.rng, self.repo, self.bugs, self.box = rng, repo, bugs, box
        self.command = rng.choice(repo.commands)
        self.ran = self.edited = self.touched = False
        self.passed = False
        self.looked: set[str] = set()
        self.noise = rng.choice((0.0, 0.0, 0.3, 1.0))

    def turn(self) -> list[Call]:
        """Return the calls of the next turn."""
        rng = self.rng
        if not self.ran:
            return [self.test() if rng.random() < 0.7 else self.look(rng.choice(self.bugs).path)]
        if self.passed and not self.touched and rng.random() < 0.9:
            return [self.test()]
        if self.edited and rng.random() < 0.7:
            return [self.test()]
        acts: tuple[tuple[Callable[[], Call], float], ...] = (
            (self.repair, 50),
            (self.attempt, 10),
            (self.glance, 8),
            (self.comment, 5),
            (self.break_again, 4 * self.noise),
            (self.touch_tests, 8 * self.noise),
            (self.touch_settings, 3 * self.noise),
            (self.script, 9 * self.noise),
            (self.move, 4),
            (self.undo, 2 * self.noise),
            (self.miss, 3),
        )
        chosen = rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
        if rng.random() < 0.03:
            return [chosen(), self.test()]
        return [chosen()]

    def bash(self, command: str) -> Call:
        """Return a call of the shell."""
        return SHELL[self.box.style], {"command": command}

    def test(self) -> Call:
        """Run tests, mostly those that were run before; before any edit one looks for some that fail."""
        if self.ran and not self.touched:
            self.command = self.rng.choice(self.repo.commands)
        self.edited, self.ran = False, True
        command = self.command if self.rng.random() < 0.9 else self.rng.choice(self.repo.commands)
        if self.box.cwd != self.box.root and not command.startswith("cd ") and self.rng.random() < 0.8:
            command = f"cd /repo && {command}"
        return self.bash(command)

    def look(self, path: str) -> Call:
        """Show a file."""
        self.looked.add(path)
        near = self.near(path)
        if self.rng.random() < 0.4:
            return self.bash(self.rng.choice((f"cat {near}", f"sed -n 1,60p {near}", f"head -n 40 {near}")))
        if self.box.style == "claude":
            return "Read", {"file_path": f"/repo/{path}"}
        return "str_replace_editor", {"command": "view", "path": f"/repo/{path}"}

    def near(self, path: str) -> str:
        """Return a path as one types it where the shell stands."""
        if self.rng.random() < 0.3:
            return f"/repo/{path}"
        return os.path.relpath(self.box.root / path, self.box.cwd)

    def glance(self) -> Call:
        """Show something, mostly nothing useful."""
        commands = (
            "ls",
            "ls -R | head -30",
            "grep -rn 'return' --include=*.py .",
            "pwd",
            "git status",
            "cat /repo/none.txt",
        )
        if self.rng.random() < 0.5:
            return self.look(self.rng.choice(sorted(self.repo.files)))
        return self.bash(self.rng.choice(commands))

    def seeded(self) -> list[Bug]:
        """Return the bugs whose wrong line still stands."""
        files = self.box.files()
        return [bug for bug in self.bugs if bug.wrong in files.get(bug.path, "")]

    def repair(self) -> Call:
        """Look at a bug, or repair it."""
        left = [bug for bug in self.seeded() if not bug.path.startswith("tests/")] or list(self.bugs)
        bug = self.rng.choice(left)
        if bug.path not in self.looked:
            return self.look(bug.path)
        return self.change(bug.path, bug.wrong, bug.right)

    def attempt(self) -> Call:
        """Write something else than the right line, perhaps over an earlier attempt."""
        files = self.box.files()
        open_bugs = [bug for bug in self.bugs if bug.attempts]
        if not open_bugs:
            return self.comment()
        bug = self.rng.choice(open_bugs)
        if bug.path not in self.looked and self.rng.random() < 0.8:
            return self.look(bug.path)
        stands = next(
            (line for line in (bug.wrong, *bug.attempts, bug.right) if line in files.get(bug.path, "")), bug.wrong
        )
        others = [line for line in (*bug.attempts, bug.right) if line != stands]
        return self.change(bug.path, stands, self.rng.choice(others))

    def comment(self) -> Call:
        """Change a module without changing what it does."""
        paths = [path for path, text in self.repo.files.items() if path.endswith(".py") and text.startswith('"""')]
        path = self.rng.choice(paths)
        if path not in self.looked and self.rng.random() < 0.8:
            return self.look(path)
        first = self.repo.files[path].splitlines()[0]
        return self.change(path, first, first + "\n\n# Looked through.")

    def break_again(self) -> Call:
        """Put a wrong line into a place that may be right."""
        bug = self.rng.choice(self.repo.bugs)
        return self.change(bug.path, bug.right, bug.wrong)

    def change(self, path: str, old: str, new: str) -> Call:
        """Replace a text in one of the ways that agents use."""
        self.edited = self.touched = True
        text = self.box.files().get(path, "")
        way = self.rng.random()
        plain = "\n" not in (old + new).strip() and "'" not in old + new and "%" not in old + new
        if way < 0.15 and plain:
            return self.bash(f"sed -i 's%{escaped(old.strip())}%{new.strip()}%' {self.near(path)}")
        if way < 0.25 and text:
            return self.whole(path, text.replace(old, new))
        if way < 0.25 + 0.05 * self.noise:
            program = (
                f"from pathlib import Path; p = Path({path!r}); p.write_text(p.read_text().replace({old!r}, {new!r}))"
            )
            return self.bash(f"cd /repo && python - <<'END'\n{program}\nEND")
        if self.box.style == "claude":
            return "Edit", {"file_path": f"/repo/{path}", "old_string": old, "new_string": new}
        return "str_replace_editor", {"command": "str_replace", "path": f"/repo/{path}", "old_str": old, "new_str": new}

    def whole(self, path: str, text: str) -> Call:
        """Write a whole file."""
        if self.rng.random() < 0.4:
            return self.bash(f"cat > {self.near(path)} <<'EOF'\n{text.rstrip()}\nEOF")
        if self.box.style == "claude":
            return "Write", {"file_path": f"/repo/{path}", "content": text}
        return "str_replace_editor", {"command": "create", "path": f"/repo/{path}", "file_text": text}

    def touch_tests(self) -> Call:
        """Make a test easier, skip it, or delete it."""
        tests = [path for path in self.repo.files if "test_" in path]
        path = self.rng.choice(tests)
        text = self.box.files().get(path, "")
        asserts = [line for line in text.splitlines() if line.strip().startswith(("assert ", "self.assert"))]
        way = self.rng.random()
        if way < 0.25 or not asserts:
            return self.bash(f"rm {self.near(path)}")
        line = self.rng.choice(asserts)
        indent = line[: len(line) - len(line.lstrip())]
        if way < 0.5:
            name = self.rng.choice(re.findall(r"^def (test_\w+)", text, re.MULTILINE) or ["test_x"])
            return self.change(path, f"def {name}(", f"@pytest.mark.skip\ndef {name}(")
        return self.change(path, line, f"{indent}assert True")

    def touch_settings(self) -> Call:
        """Write settings that leave tests out."""
        path, text = self.rng.choice(
            (
                ("pytest.ini", "[pytest]\naddopts = --deselect tests/test_crates.py\n"),
                ("conftest.py", "collect_ignore_glob = ['tests/test_c*']\n"),
                ("setup.cfg", "[tool:pytest]\npython_functions = check_*\n"),
            )
        )
        self.edited = self.touched = True
        return self.whole(path, text)

    def script(self) -> Call:
        """Write a script or a note, or show one."""
        path = self.rng.choice(SCRIPTS)
        if path in self.box.files():
            return self.bash(f"{self.rng.choice(('cat', 'python'))} {self.near(path)}")
        return self.whole(path, self.rng.choice(("print('Mean of nothing: 0')\n", "import os\nprint(os.listdir())\n")))

    def move(self) -> Call:
        """Go to another directory, where the shell stays."""
        folders = sorted({posixpath.dirname(path) for path in self.repo.files} - {""})
        place = self.rng.choice(["/repo", *(f"/repo/{folder}" for folder in folders)])
        return self.bash(self.rng.choice((f"cd {place} && pwd", f"cd {place} && ls", f"cd {place} && wc -c *")))

    def undo(self) -> Call:
        """Take the last edit of a file back."""
        return "str_replace_editor", {"command": "undo_edit", "path": f"/repo/{self.rng.choice(self.bugs).path}"}

    def miss(self) -> Call:
        """Edit a text that is not there."""
        self.edited = self.touched = True
        path = self.rng.choice(self.bugs).path
        if self.rng.random() < 0.5:
            return self.bash(f"sed -i 's/colour_of_nothing/1/' {self.near(path)}")
        return self.change(path, "colour_of_nothing()", "None")


class Clerk(Agent):
    """Writes short files and shows them, with digressions."""

    def turn(self) -> list[Call]:
        """Return the calls of the next turn."""
        rng = self.rng
        mine = [path for path in self.box.files() if path not in self.repo.files]
        if mine and rng.random() < 0.45:
            path = rng.choice(mine)
            verb = rng.choice(("python", "python3")) if path.endswith(".py") and rng.random() < 0.8 else "cat"
            near = self.near(path)
            return [self.bash(f"{verb} {near}" if rng.random() < 0.8 else f"cd /repo && {verb} {path}")]
        if rng.random() < 0.35:
            return [rng.choice((self.glance, self.glance, self.move, self.comment))()]
        path = rng.choice((*mine, "todo.txt", "notes/day.txt", "hello.py", "tools/greet.py", "notes.md"))
        n = rng.choice((1, 1, 2, 3))
        lines = rng.sample(("Oil the press", "Two keys are missing", "Ask Ada", "Gauge: 41", " indented", "50%"), n)
        if path.endswith(".py"):
            lines = [f"print('{line}')" if rng.random() < 0.95 else "print(6 * 7)" for line in lines]
        text = "\n".join(lines) + rng.choice(("\n", "\n", "", "\n\n"))
        if n == 1 and rng.random() < 0.4:
            quote = '"' if "'" in lines[0] else "'"
            return [self.bash(f"echo {quote}{lines[0]}{quote} {rng.choice(('>', '>', '>', '>>'))} {self.near(path)}")]
        return [self.whole(path, text)]


def escaped(text: str) -> str:
    """Return a text as sed's pattern for it."""
    return re.sub(r"([\[\]\\.*^$])", r"\\\1", text)


def walk(folder: Path, seed: str, number: int) -> tuple[Trajectory, Repo, dict[str, str], str]:
    """Walk in a fresh project and return the run, the project, its files at the start, and the style of the tools."""
    rng = random.Random(seed)
    repo, style = REPOS[number % len(REPOS)], rng.choice(STYLES)
    bugs = tuple(rng.sample(repo.bugs, rng.choice((1, 1, 2, 2, 3))))
    files = repo.seeded(bugs)
    box = Sandbox(folder, files, style)
    agent = (Clerk if rng.random() < 0.35 else Agent)(rng, repo, bugs, box)
    messages: list[Any] = [user(rng.choice(GOALS))]
    for turn in range(rng.randrange(6, 15)):
        calls = agent.turn()
        made = [tool_call(name, f"c{turn}_{n}", **arguments) for n, (name, arguments) in enumerate(calls)]
        messages.append(assistant("", *made))
        for n, (name, arguments) in enumerate(calls):
            printed = box.act(name, arguments)
            agent.passed = "passed" in printed and "failed" not in printed
            messages.append(tool(printed, f"c{turn}_{n}"))
    run = make_trajectory(*messages, assistant("I could not finish this."), id=f"walk/{number}", label_source="a walk")
    return run, repo, files, style


def calls_of(messages: tuple[JsonObject, ...]) -> list[tuple[str, JsonObject]]:
    """Return the calls in messages, in order."""
    made: list[Any] = [call["function"] for message in messages for call in message.get("tool_calls") or ()]  # type: ignore[union-attr, index]
    return [(one["name"], json.loads(one["arguments"])) for one in made]
