"""Command lines are read as one pipeline with the place of every word, or refused; their effect is never guessed."""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.shell.output import fault, is_clean, is_cut
from agenther.stages.language.shell.parse import Refused, parse_pipeline
from agenther.stages.language.shell.query import understand
from agenther.stages.language.shell.wrappings import output_of
from agenther.stages.relabel.shell.sentences import sentence


def test_words_keep_their_places() -> None:
    command = r"find /srv -name '*.log' -exec grep -l 'a b' {} \; | wc -l"
    first, second = parse_pipeline(command)
    assert [w.text for w in first.words] == ["find", "/srv", "-name", "*.log", "-exec", "grep", "-l", "a b", "{}", ";"]
    assert (second.name, [w.text for w in second.arguments]) == ("wc", ["-l"])
    assert command[first.words[3].start : first.words[3].end] == "'*.log'"
    assert not first.words[3].glob


@given(st.lists(st.text("ab*?.'\" \\/-", min_size=1, max_size=8), min_size=1, max_size=5))
def test_words_are_those_of_a_posix_shell(words: list[str]) -> None:
    command = shlex.join(["grep", *words])
    assert [w.text for w in parse_pipeline(command)[0].words] == shlex.split(command)


@pytest.mark.parametrize(
    "command",
    [
        "ls; pwd",
        "ls && pwd",
        "ls || pwd",
        "ls > out.txt",
        "wc -l < in.txt",
        "echo $HOME",
        'echo "$HOME"',
        "echo `date`",
        "echo $(date)",
        "(ls)",
        "ls {a,b}",
        "cat ~/notes",
        "A=1 ls",
        "ls 'open",
        "ls |",
        "| ls",
        "",
        "ls\npwd",
        "sleep 5 &",
        "! ls",
    ],
)
def test_what_is_no_plain_pipeline_is_refused(command: str) -> None:
    with pytest.raises(Refused):
        parse_pipeline(command)


@pytest.mark.parametrize(
    ("command", "output", "effect"),
    [
        ("find / -name x | xargs grep -l y", "", Effect.READS),
        ("find / -name x -delete", "", Effect.CHANGES),
        ("find / -name x -exec rm {} +", "", Effect.CHANGES),
        ("find / -name x -exec md5sum {} \\; | sort", "", Effect.READS),
        ("ls | xargs rm", "", Effect.CHANGES),
        ("ls | xargs -I{} mv {} /tmp", "", Effect.CHANGES),
        ("cat a > b", "", Effect.CHANGES),
        ("ls /x 2>/dev/null", "", Effect.READS),
        ("echo $(rm a)", "", Effect.CHANGES),
        ('echo "$(rm a)"', "", Effect.CHANGES),
        ("sed 's/a/b/' f", "a", Effect.READS),
        ("sed -i 's/a/b/' f", "", Effect.CHANGES),
        ("awk '{print $1}' f", "", Effect.READS),
        ("awk '{print > \"f\"}' f", "", Effect.CHANGES),
        ("sort -o f f", "", Effect.CHANGES),
        ("mkdir a", "", Effect.CHANGES),
        ("./run.sh", "", Effect.CHANGES),
        ("cd /srv", "", Effect.MOVES),
        ("cd /srv && ls", "", Effect.MOVES),
        ("mkdirr a", "/bin/bash: line 1: mkdirr: command not found\n", Effect.NOTHING),
        ("touch a; mkdirr b", "/bin/bash: line 1: mkdirr: command not found\n", Effect.CHANGES),
        ("for x in; rm", "/bin/bash: -c: line 1: syntax error near unexpected token `;'\n", Effect.NOTHING),
        ("for f in a b; do wc -l f; done", "", Effect.READS),
        ("for f in a b; do rm f; done", "", Effect.CHANGES),
        ("tee a", "", Effect.CHANGES),
        ("bash -c 'ls'", "", Effect.CHANGES),
    ],
)
def test_effects(command: str, output: str, effect: Effect) -> None:
    assert effect_of(command, output) is effect


@pytest.mark.parametrize(
    "output",
    [
        "",
        " \n",
        "grep: x: No such file or directory\n/srv/a\n",
        "/srv/a\nfind: '/root': Permission denied\n",
        "Command timed out",
        "in: -c: line 2: syntax error: unexpected end of file\n",
        "Try 'wc --help' for more information.\n",
        "/srv/a\n... output truncated",
        "Binary file /srv/a.bin matches\n",
        "x\n" * 500,
    ],
)
def test_outputs_with_a_complaint_are_not_clean(output: str) -> None:
    assert not is_clean(output)


def test_an_output_without_its_end_is_cut() -> None:
    assert is_cut("/srv/a\n/srv/lo", ["3\n"])
    assert not is_cut("/srv/a\n/srv/log", ["3"])
    assert not is_cut("/srv/a\n", ["3"])
    assert is_cut("a" * 350, [])


TOOLS = (
    "find grep ls du wc cat sort cut diff xargs head uniq -name -type -exec -n -size -mtime -f2 + ; | && cd / f".split()
)


@given(st.lists(st.sampled_from(TOOLS) | st.text(max_size=6), max_size=9), st.text(max_size=60))
def test_nothing_but_a_refusal_is_raised(words: list[str], output: str) -> None:
    command = " ".join(words)
    effect_of(command, output)
    is_clean(output)
    output_of(output)
    try:
        query = understand(command)
        fault(query, output)
        sentence(query, output.count("\n") + 1, question=True, total=False)
    except Refused:
        pass


NAMES = st.text("aA.b_[]é", min_size=1, max_size=4)
WILDCARDS = st.text("aA.b*?[]!-", min_size=1, max_size=5)


@given(WILDCARDS, WILDCARDS, st.sampled_from(["-name", "-iname", "! -name", "! -iname"]), NAMES)
def test_names_fit_as_fnmatch_says(one: str, other: str, test: str, name: str) -> None:
    joined = "" if "!" in test else f" -o {test} {shlex.quote(other)}"
    try:
        query = understand(f"find /yard -type f {test} {shlex.quote(one)}{joined}")
    except Refused:
        return
    patterns = [one, other] if joined else [one]
    if "iname" in test:
        name, patterns = name.lower(), [pattern.lower() for pattern in patterns]
    fits = any(fnmatchcase(name, pattern) for pattern in patterns) is ("!" not in test)
    assert (fault(query, f"/yard/{name}\n") is None) is fits


def test_the_first_row_that_does_not_fit_is_told() -> None:
    query = understand("find /yard -name '*.log'")
    assert fault(query, "/yard/a.log\n/shed/b.log\n/yard/c.txt\n") == "the row '/shed/b.log' does not lie in the place"
    assert fault(query, "/yard/a.log\n/yard/c.txt\n/shed/b.log\n") == "the row 'c.txt' does not fit '*.log'"
