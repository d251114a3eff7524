"""Test commands and their summaries, and what calls do to files, are read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stages.code_runs import EDITED, FAILED, PASSED, Call, edit, run, shell

from agenther.record import JsonObject
from agenther.stages.language.code.edits import Kind, deed_of, may_edit, may_write_whole, same_file
from agenther.stages.language.code.suites import Count, Suite, count_of, now_pass, read_suite


@pytest.mark.parametrize(
    ("command", "runner", "bare", "targets"),
    [
        ("pytest tests/test_sacks.py", "pytest", "pytest tests/test_sacks.py", ("tests/test_sacks.py",)),
        ("cd /srv/mill && python -m pytest -x 2>&1 | tail -20", "pytest", "python -m pytest -x", ()),
        (
            "python3 -m unittest -v tests.test_sacks",
            "unittest",
            "python3 -m unittest -v tests.test_sacks",
            ("tests.test_sacks",),
        ),
        ("npm test", "any", "npm test", ()),
        ("go test ./...", "any", "go test ./...", ()),
        ("cargo test", "any", "cargo test", ()),
        ("make check", "any", "make check", ()),
    ],
)
def test_commands_that_run_tests(command: str, runner: str, bare: str, targets: tuple[str, ...]) -> None:
    suite = read_suite(command)
    assert suite is not None
    assert (suite.runner, suite.command, suite.targets) == (runner, bare, targets)


@pytest.mark.parametrize(
    "command",
    [
        "pytest -k sacks",
        "pytest --lf",
        "pytest --deselect tests/test_sacks.py::test_a",
        "pytest; rm -r tests",
        "pytest | grep passed",
        "pytest tests/*.py",
        "go test -run TestSacks ./...",
        "make testing",
        "npm run build",
        "jest -u",
        "python tests/test_sacks.py",
        "MILL=1 pytest",
        "pytest > out.txt",
    ],
)
def test_commands_that_choose_tests_or_do_more(command: str) -> None:
    assert read_suite(command) is None


UNITTEST = "FAIL: test_a (t.T)\nRan 5 tests in 0.01s\n\nFAILED (failures=1, skipped=1)"
GO = "--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tmill/sacks\t0.01s\nok  \tmill/stone\t0.02s\nFAIL\n"
JEST = "Test Suites: 1 failed, 1 passed, 2 total\nTests:       2 failed, 1 skipped, 7 passed, 10 total\n"
CARGO = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n"


@pytest.mark.parametrize(
    ("command", "printed", "count"),
    [
        ("pytest", FAILED, Count(2, 1, 0, (), frozenset({"tests/test_sacks.py::test_empty_delivery"}))),
        ("pytest", PASSED, Count(3, 0, 0)),
        ("pytest", "==== 4 passed, 1 skipped, 2 warnings in 1.20s ====\r\n", Count(4, 0, 0, (("skipped", 1),))),
        (
            "pytest",
            "ERROR tests/test_a.py\n=== 1 error in 0.2s ===",
            Count(0, 0, 1, (), frozenset({"tests/test_a.py"})),
        ),
        ("python -m unittest", UNITTEST, Count(3, 1, 0, (("skipped", 1),))),
        ("python -m unittest", "Ran 5 tests in 0.01s\n\nOK\n", Count(5, 0, 0)),
        ("npm test", JEST, Count(7, 2, 0, (("skipped", 1),))),
        ("npm test", "  4 passing (9ms)\n  1 failing\n", Count(4, 1, 0)),
        ("go test ./...", GO, Count(1, 1, 0)),
        ("cargo test", CARGO, Count(3, 1, 0)),
    ],
)
def test_summaries(command: str, printed: str, count: Count) -> None:
    suite = read_suite(command)
    assert suite is not None
    assert count_of(suite, printed) == count


@pytest.mark.parametrize(
    "printed", ["", "bash: pytest: command not found", "collected 3 items\n\n...", FAILED + PASSED, "3 passed"]
)
def test_no_summary_or_two(printed: str) -> None:
    assert count_of(Suite("pytest", "pytest", "", ()), printed) is None


@given(st.text(), st.sampled_from(["pytest", "npm test", "go test", "cargo test", "python -m unittest"]))
def test_any_output(printed: str, command: str) -> None:
    suite = read_suite(command)
    assert suite is not None
    count_of(suite, printed)
    read_suite(printed)


WHOLE = Suite("pytest", "pytest", "", ())
A, B = "tests/t.py::test_a", "tests/t.py::test_b"


@pytest.mark.parametrize(
    ("before", "after", "fixed"),
    [
        (Count(2, 1, 0), Count(3, 0, 0), frozenset[str]()),
        (Count(0, 0, 1), Count(3, 0, 0), frozenset[str]()),
        (Count(2, 2, 0, (), frozenset({A, B})), Count(3, 1, 0, (), frozenset({B})), frozenset({A})),
        (Count(3, 0, 0), Count(3, 0, 0), None),
        (Count(2, 1, 0), Count(2, 0, 0), None),
        (Count(2, 1, 0), Count(2, 0, 0, (("skipped", 1),)), None),
        (Count(2, 1, 0), Count(2, 0, 0, (("xfailed", 1),)), None),
        (Count(0, 0, 1), Count(1, 0, 0, (("skipped", 2),)), None),
        (Count(2, 2, 0), Count(3, 1, 0), None),
        (Count(2, 2, 0, (), frozenset({A, B})), Count(3, 1, 0, (), frozenset({"tests/t.py::test_c"})), None),
        (Count(2, 2, 0, (), frozenset({A, B})), Count(2, 0, 1, (), frozenset({B})), None),
    ],
)
def test_what_passes_now(before: Count, after: Count, fixed: frozenset[str] | None) -> None:
    assert now_pass(WHOLE, before, after) == fixed


def deed(call: Call) -> tuple[Kind, list[tuple[str, str, str]]]:
    found = deed_of(run(call).step(2), 0)
    return found.kind, [(one.path, one.removed, one.added) for one in found.edits]


PATCH = "*** Begin Patch\n*** Update File: mill/sacks.py\n@@\n-old\n+new\n*** End Patch"


CLAUDE: JsonObject = {"file_path": "/m/a.py", "old_string": "old", "new_string": "new"}
SEVERAL: JsonObject = {
    "file_path": "a.py",
    "edits": [{"old_string": "1", "new_string": "2"}, {"old_string": "3", "new_string": "4"}],
}
OPENED = "[File: /m/a.py (9 lines total)]"
PATCHED = "Success. Updated the following files:\nM mill/sacks.py"
ONE = ("old", "new")


@pytest.mark.parametrize(
    ("call", "path", "changes"),
    [
        (edit(old="old", new="new"), "mill/sacks.py", [ONE]),
        (("Edit", CLAUDE, "The file /m/a.py has been updated."), "/m/a.py", [ONE]),
        (
            ("edit", {"filePath": "a.js", "oldString": "old", "newString": "new"}, "Edit applied successfully."),
            "a.js",
            [ONE],
        ),
        (("MultiEdit", SEVERAL, "File updated successfully"), "a.py", [("1", "2"), ("3", "4")]),
        (("edit", {"search": "old", "replace": "new"}, f"Text replaced.\n{OPENED}"), "/m/a.py", [ONE]),
        (("edit", {"command": "edit 3:3\nnew\nend_of_edit"}, f"{OPENED}\nFile updated."), "/m/a.py", [("", "new")]),
        (("apply_patch", {"input": PATCH}, PATCHED), "mill/sacks.py", [ONE]),
        (shell("sed -i 's/a/b/' mill/sacks.py", ""), "mill/sacks.py", [("", "s/a/b/")]),
        (shell("cd /m && cat > a.py <<'EOF'\nx = 1\nEOF", ""), "a.py", [("", "x = 1")]),
    ],
)
def test_edits(call: Call, path: str, changes: list[tuple[str, str]]) -> None:
    assert deed(call) == (Kind.EDIT, [(path, *change) for change in changes])
    assert may_edit(run(call).step(2).tool_calls[0])


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (edit(said="No replacement was performed, old_str `x` did not appear verbatim"), Kind.NOTHING),
        (edit(said="done?"), Kind.UNKNOWN),
        (edit(said="Error: mill/sacks.py has been edited elsewhere"), Kind.UNKNOWN),
        (("str_replace_editor", {"command": "view", "path": "a.py"}, "1 x"), Kind.READ),
        (("Read", {"file_path": "a.py"}, "1 x"), Kind.READ),
        (shell("grep -n x a.py", "3:x"), Kind.READ),
        (shell("cd /m && ls", "a.py"), Kind.READ),
        (shell("python fix.py", ""), Kind.UNKNOWN),
        (shell("git checkout -- tests", ""), Kind.UNKNOWN),
        (shell("sed -i 's/a/b/' a.py b.py", ""), Kind.UNKNOWN),
        (shell("sed -i 's/a/b/' a.py", "sed: can't read a.py"), Kind.UNKNOWN),
        (shell("cat > a.py <<EOF\nx = $HOME\nEOF", ""), Kind.UNKNOWN),
        (("str_replace_editor", {"command": "undo_edit", "path": "a.py", "new_str": "x"}, EDITED), Kind.UNKNOWN),
        (("undo_edit", {"path": "a.py"}, EDITED), Kind.UNKNOWN),
        (("submit", {}, ""), Kind.UNKNOWN),
    ],
)
def test_other_deeds(call: Call, kind: Kind) -> None:
    assert deed(call) == (kind, [])


WRITTEN = ["a.py", "create", "cat > a.py <<'EOF'\nx = 1\nEOF", "cd /m && echo 'x' > a.py", "sed -i 's/a/b/' a.py", "ls"]
ARGUMENTS = ["path", "command", "content", "file_text", "text", "old_str", "new_str", "patch"]
SAID = ["", "File created successfully", "a.py has been updated", "Error: no such file"]


@pytest.mark.parametrize(
    "call",
    [
        shell(WRITTEN[2], ""),
        shell(WRITTEN[3], ""),
        ("Write", {"file_path": "a.py", "content": "x = 1"}, "Wrote file successfully"),
        ("str_replace_editor", {"command": "create", "path": "a.py", "file_text": "x = 1"}, SAID[1]),
    ],
)
def test_calls_that_write_a_whole_file(call: Call) -> None:
    step = run(call).step(2)
    assert [one.whole for one in deed_of(step, 0).edits] == [True]
    assert may_write_whole(step.tool_calls[0])


@given(
    st.sampled_from(["bash", "create", "str_replace_editor"]),
    st.dictionaries(st.sampled_from(ARGUMENTS), st.sampled_from(WRITTEN), max_size=4),
    st.sampled_from(SAID),
)
def test_nothing_writes_a_whole_file_that_does_not_look_so(tool: str, arguments: JsonObject, said: str) -> None:
    step = run((tool, arguments, said)).step(2)
    assert may_write_whole(step.tool_calls[0]) or not any(one.whole for one in deed_of(step, 0).edits)


def test_paths_that_may_name_one_file() -> None:
    assert same_file("/srv/mill/sacks.py", "mill/sacks.py")
    assert same_file("./mill/sacks.py", "mill/sacks.py")
    assert not same_file("mill/sacks.py", "mill/my_sacks.py")
