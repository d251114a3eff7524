"""`agenther tokens` without any framework: what it refuses, and what it prints of rows that were encoded by hand."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.text import Text

from agenther.cli.tokens import MOST_UNTRAINED, TRAINED, coloured, command
from agenther.errors import UserError
from agenther.train.speakers import Rendered, Stretch

FRAMEWORK = """\
#!{python}
import sys
if sys.argv[1] == "-m":
    assert sys.argv[2] == "agenther.train.encoders"
    print({lines!r})
    sys.stderr.write({said!r})
    sys.exit({status})
"""
HOSTILE = "results \x1b[31m⟪forged⟫"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_text("{}")
    for side in ("train", "test"):
        folder = tmp_path / side / "swift"
        folder.mkdir(parents=True)
        for kind in ("sft", "dpo", "kto", "goal_contrast"):
            rows = [row(name) for name in ("first", "second")] if (side, kind) == ("train", "sft") else []
            (folder / f"{kind}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return tmp_path


def row(name: str) -> dict[str, object]:
    turns = [("user", f"the {name} goal"), ("assistant", "looking"), ("tool_response", HOSTILE), ("assistant", "done")]
    messages = [{"role": role, "content": text} for role, text in turns]
    return {"messages": messages, "metadata": json.dumps({"id": f"{name}-row"})}


def encoded(number: int, name: str) -> str:
    stretches = [
        [False, 20, f"<user>the {name} goal<agent>"],
        [True, 9, "looking"],
        [False, 30, f"<result>{HOSTILE}<agent>"],
        [True, 4, "done"],
    ]
    return json.dumps({"row": number, "side": "", "stretches": stretches, "scales": [0.5, 1.0]})


def framework(folder: Path, *lines: str, said: str = "", status: int = 0) -> Path:
    """Write what stands in for a Python that has a framework, whose encoder prints these lines."""
    path = folder / "python"
    path.write_text(FRAMEWORK.format(python=sys.executable, lines="\n".join(lines), said=said, status=status))
    path.chmod(0o755)
    return path


def told(out: Path, *arguments: str | Path, consumer: str = "swift") -> str:
    options = ["--for", consumer, "--tokenizer", str(out), *map(str, arguments)]
    done = CliRunner().invoke(command, [str(out), *options], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output


def test_counts_and_one_row_are_printed(out: Path) -> None:
    said = told(out, "--python", framework(out, encoded(0, "first"), encoded(1, "second")))
    loaded, left = (line.split()[2:] for line in said.splitlines() if line.startswith(" sft, train"))
    assert loaded == ["2", "2", "126", "63", "26", "26", "0"]
    assert left[0] == "100"
    assert "losses are multiplied by 0.5, 1" in said
    assert "row first-row (sft, train): 13 of 63 tokens train" in said
    assert "⟪looking⟫" in said
    assert "not loaded" not in said
    assert "\x1b" not in said
    assert "⟪forged⟫" not in said


def test_the_row_that_is_asked_for_is_shown(out: Path) -> None:
    python = framework(out, encoded(0, "first"), encoded(1, "second"))
    assert "row second-row" in told(out, "--python", python, "--row", "sec")
    with pytest.raises(UserError, match="no row for swift has an id that begins with 'third'"):
        told(out, "--python", python, "--row", "third")


def test_what_is_lost_is_named_and_no_failure(out: Path) -> None:
    said = told(out, "--python", framework(out, encoded(0, "second")), "--row", "first")
    assert "1 rows are not loaded by swift: first-row" in said
    assert "row first-row: not among those that were loaded" in said


def test_json_holds_all_of_it(out: Path) -> None:
    made = json.loads(told(out, "--python", framework(out, encoded(0, "first"), encoded(1, "second")), "--json"))
    (file,) = made["files"]
    assert (file["kind"], file["side"], file["trained"], file["dropped"]) == ("sft", "train", 26, 0)
    assert file["trained_by"] == {"system": 0, "user": 0, "tool": 0, "agent": 26}
    assert file["scales"] == [0.5, 1.0]
    assert made["row"]["id"] == "first-row"
    assert made["row"]["sides"][0]["stretches"][1] == {"trained": True, "n_tokens": 9, "text": "looking"}


def test_a_framework_that_stops_is_one_line(out: Path) -> None:
    said = 'Traceback\n  File "x.py", line 1\nframework.errors.RowError: row 2 is odd\n  hint: none\n'
    with pytest.raises(UserError, match=r"^swift sft, train: RowError: row 2 is odd\n  hint: --template NAME.*$"):
        told(out, "--python", framework(out, encoded(0, "first"), said=said, status=1))


@pytest.mark.parametrize(
    ("consumer", "arguments", "why"),
    [
        ("openai", [], "its provider alone knows"),
        ("atif", [], "no trainer reads ATIF"),
        ("nobody", [], "no consumer is named 'nobody'"),
        ("trl", ["--kind", "goal_contrast"], "agenther train goal-contrast"),
        ("swift", ["--kind", "sft_last"], "swift has no sft_last: it has sft, dpo, kto, goal_contrast"),
        ("swift", ["--kind", "dpo"], "no file for swift has rows"),
        ("trl", [], "expected rows for trl, found no file.*\n.*agenther export"),
        ("swift", ["--python", "no/such/python"], "expected a Python, found none"),
        ("swift", ["--tokenizer", __file__], "expected the folder of a model, found a file"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_way_out(
    out: Path, consumer: str, arguments: list[str], why: str
) -> None:
    with pytest.raises(UserError) as raised:
        told(out, *arguments, consumer=consumer)
    assert re.search(why, str(raised.value))


def test_an_absent_framework_is_named_with_its_install_line(out: Path) -> None:
    with pytest.raises(UserError, match=r"not installed here\n  hint: pip install ms-swift==[\d.]+;.*--python"):
        told(out)


def test_trained_text_is_coloured_and_hostile_text_is_safe() -> None:
    long = "x" * (MOST_UNTRAINED + 50)
    made = Rendered(
        0, "", (Stretch(False, 9, long), Stretch(True, 1, "a\x1b]0;b[bold]"), Stretch(False, 1, "[red]end")), ()
    )
    shown = coloured(made, marks=False)
    assert "(50 more characters)" in shown.plain
    assert "\x1b" not in shown.plain
    assert shown.plain.endswith("\N{REPLACEMENT CHARACTER}]0;b[bold][red]end")
    assert [shown.plain[span.start : span.end] for span in shown.spans if span.style == TRAINED] == [
        "a\N{REPLACEMENT CHARACTER}]0;b[bold]"
    ]
    assert isinstance(shown, Text)
