"""What harnesses put around a command's output comes off exactly, and a told failure is never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.shell.wrappings import output_of, unwrap

PROMPT = "\n(Open file: /srv/mill/rye.py)\n(Current directory: /srv/mill)\nbash-$"
FOOT = (
    "\n[The command completed with exit code {code}.]\n[Current working directory: /srv/mill]\n"
    "[Python interpreter: /usr/bin/python]\n[Command finished with exit code {code}]"
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("rye.py\noat.py\n" + PROMPT, "rye.py\noat.py\n"),
        ("rye.py\r\noat.py" + PROMPT.replace("\n", "\r\n"), "rye.py\noat.py"),
        ("Your command ran successfully and did not produce any output." + PROMPT, ""),
        ("OBSERVATION:\nrye.py\r\noat.py", "rye.py\noat.py"),
        ("rye.py\noat.py" + FOOT.format(code=0), "rye.py\noat.py"),
        ("rye.py\n[Command finished with exit code 0]", "rye.py"),
        ("exitcode: 0 (execution succeeded)\nCode output: 44\n", "44\n"),
        ("exitcode: 0\nCode output: 44", "44"),
        ("<returncode>0</returncode>\n<output>\n44\n</output>", "44\n"),
        ('{"output": "rye.py\\n", "exit_code": 0, "error": null}', "rye.py\n"),
        ("New Terminal Output:\n\nroot@mill-7:/srv# ls\nrye.py\noat.py\nroot@mill-7:/srv#", "rye.py\noat.py\n"),
    ],
)
def test_what_a_command_printed(content: str, text: str) -> None:
    assert output_of(content, "ls\n") == text


@pytest.mark.parametrize(
    "content",
    [
        "rye.py" + FOOT.format(code=1),
        "exitcode: 1 (execution failed)\nCode output: 44\n",
        "<returncode>2</returncode>\n<output>\n44\n</output>",
        '{"output": "rye.py\\n", "exit_code": 1, "error": null}',
        '{"output": "rye.py\\n", "stderr": "oat.py: unreadable"}',
        '{"output": "rye.py\\n", "exit_code": 0, "truncated": true}',
    ],
)
def test_a_told_failure_stays_in_sight(content: str) -> None:
    assert unwrap(content).complained
    assert output_of(content) == content


@pytest.mark.parametrize(
    "content",
    [
        "New Terminal Output:\n\nroot@mill-7:/srv# pwd\n/srv\nroot@mill-7:/srv#",
        "New Terminal Output:\n\nroot@mill-7:/srv# ls\nrye.py\nroot@mill-7:/srv# ls\nrye.py\nroot@mill-7:/srv#",
        "New Terminal Output:\n\nroot@mill-7:/srv# ls\nrye.py",
        "rye.py\n(Open file: n/a)\noat.py",
        "see [Command finished with exit code 0] above\noat.py",
        "{broken",
        "[1, 2]",
    ],
)
def test_a_screen_of_other_commands_or_half_a_wrapping_is_left_alone(content: str) -> None:
    assert output_of(content, "ls") == content


@given(st.text())
def test_any_text(text: str) -> None:
    assert isinstance(output_of(text, text), str)
