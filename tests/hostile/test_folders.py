"""A folder of everything that should not be there: one job reads the good runs and names the rest."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import zstandard
from tests.jobs.runs import write_runs

TIME_LIMIT_S = 120
ESCAPES = "\x1b]0;gotcha\x07\x1b[2J\u202e[red]x[/red][link=https://a.example]<script>\r"


def agenther(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "agenther", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=TIME_LIMIT_S, cwd=cwd)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    for stream in (done.stdout, done.stderr):
        assert b"\x1b" not in stream
        assert "\u202e".encode() not in stream
    return done


def run(folder: Path, *options: str) -> tuple[int, list[dict[str, object]], list[dict[str, object]]]:
    """Run a job; return its exit code, its errors and all its runs, dropped or kept, and find nothing outside OUT."""
    before = {p for p in folder.parent.rglob("*") if "out" not in p.relative_to(folder.parent).parts}
    out = folder.parent / "out"
    done = agenther("run", folder, "-o", out, *options)
    after = {p for p in folder.parent.rglob("*") if "out" not in p.relative_to(folder.parent).parts}
    assert after == before
    names = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert all(name.split("/")[0] in EXPECTED for name in names), names
    rows = {name: [json.loads(line) for line in (out / name).read_bytes().splitlines()] for name in ROWS}
    return done.returncode, rows["errors.jsonl"], rows["dropped.jsonl"] + rows["examples.jsonl"]


ROWS = ("errors.jsonl", "dropped.jsonl", "examples.jsonl")
EXPECTED = {*ROWS, "manifest.json", "README.md", "run.sqlite", ".lock", "train", "test", "set_aside.jsonl"}


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "traces"
    made.mkdir()
    write_runs(made / "good.json", 3)
    return made


def chat(**fields: object) -> dict[str, object]:
    messages = [{"role": "user", "content": "Where is the mill?"}, {"role": "assistant", "content": "In Vesterby."}]
    return {"messages": messages, "success": False} | fields


def files_of(rows: list[dict[str, object]]) -> set[str]:
    return {Path(str(row["path"])).name for row in rows}


def test_broken_files_beside_good_ones(folder: Path) -> None:
    good = (folder / "good.json").read_bytes()
    broken = {
        "empty.json": b"",
        "blank.jsonl": b"\n \n\t\n",
        "nul.json": b"\0" * 5000,
        "binary.jsonl": bytes(range(256)) * 40,
        "cut.json": good[: len(good) // 2],
        "deep.json": b"[" * 100_000,
        "objects.json": b'{"messages":' * 100_000,
        "latin.json": '{"messages":[{"role":"user","content":"é"}]}'.encode("latin-1"),
        "cut.json.gz": gzip.compress(good)[:-30],
        "cut.json.zst": zstandard.ZstdCompressor().compress(good)[:-30],
        "no.json.gz": good,
        "bomb.json.gz": gzip.compress(b"[" + b" " * (80 << 20) + b"]"),
        "bomb.jsonl.zst": zstandard.ZstdCompressor().compress(b" " * (300 << 20)),
        "no.eval": b"PK\x03\x04" + b"x" * 100,
        "code.json": pickle.dumps(Runs()),
        "other.json": b'{"hello": [1, 2, 3]}',
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    (folder / "step_0.pkl.gz").write_bytes(gzip.compress(pickle.dumps(Runs())))
    (folder / "x.pkl").write_bytes(pickle.dumps(Runs()))
    code, errors, rows = run(folder)
    assert code == 3
    assert files_of(errors) - {"step_0.pkl.gz", "x.pkl"} == set(broken)
    assert len(rows) >= 3
    assert not list(folder.parent.rglob("executed"))
    assert not Path("executed").exists()


def test_an_archive_that_is_a_bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / "bomb.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"version": 2, "status": "success", "eval": {"task": "x"}}))
        for number in range(4):
            archive.writestr(f"samples/{number}_epoch_1.json", b" " * (40 << 20))
    code, errors, rows = run(folder)
    assert code == 3
    assert files_of(errors) == {"bomb.eval"}
    assert len(rows) >= 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_what_is_no_file(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "folder.jsonl").mkdir()
    (folder / "null.json").symlink_to("/dev/zero")
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "round").symlink_to(folder)
    (folder / "gone.json").symlink_to("nowhere.json")
    outside = write_runs(tmp_path / "outside.json", 2)
    (folder / "leaves.json").symlink_to(outside)
    code, errors, rows = run(folder)
    assert (code, errors) == (0, [])
    assert {Path(str(row["source"]["path"])).name for row in rows} == {"good.json"}  # type: ignore[index]
    for path, found in (("pipe.jsonl", b"a pipe or a device"), ("null.json", b"a pipe or a device")):
        for command in (("read",), ("run", "-o", tmp_path / "other")):
            done = agenther(command[0], folder / path, *command[1:])
            assert done.returncode in (1, 3)
        assert found in agenther("read", folder / path).stderr
    assert agenther("read", folder / "loop.json").returncode == 3
    assert agenther("read", folder / "folder.jsonl").returncode in (0, 1)


def test_odd_ids_name_no_file_and_stay_apart(folder: Path) -> None:
    ids = [
        "../../../evil",
        "/etc/evil",
        "a\nb\tc",
        "x" * 10_000,
        ESCAPES,
        "",
        ".",
        "\0",
        "same",
        "same",
        "same~2",
        "CON",
    ]
    lines = [json.dumps(chat(id=one, task_id=one)) for one in ids]
    (folder / "ids.jsonl").write_text("\n".join([*lines, *lines]))
    code, errors, rows = run(folder)
    assert (code, errors) == (0, [])
    own = [row["trajectory_id"] for row in rows]
    assert len(own) == len(set(own)) == 2 * len(ids) + 3
    for command in (("stats",), ("show",), ("show", "--list"), ("show", ESCAPES), ("show", "../../../evil")):
        assert agenther(command[0], folder.parent / "out", *command[1:]).returncode == 0
    for options in ((), ("--runs",), ("--explain",)):
        assert agenther("read", folder, *options).returncode == 0


def test_text_that_acts_on_terminals(folder: Path) -> None:
    runs = json.loads((folder / "good.json").read_bytes())
    text = json.dumps(runs).replace("assistant", "assistant")
    (folder / "good.json").write_text(text)
    name = f"x{ESCAPES}".replace("/", "|").replace("\0", "")
    (folder / f"{name}.jsonl").write_text(
        "\n".join(
            [
                json.dumps(chat(goal=ESCAPES, id=f"run {ESCAPES}", model=ESCAPES)),
                json.dumps({"messages": ESCAPES}),
                json.dumps({ESCAPES: 1, "messages": [{"role": ESCAPES}]}),
                json.dumps(chat(reward=ESCAPES)),
            ]
        )
    )
    code, errors, rows = run(folder)
    assert code == 3
    assert len(errors) == 3
    assert len(rows) == 4
    assert agenther("read", folder).returncode == 3
    assert b"[red]x" in agenther("read", folder, "--runs").stdout
    assert b"[red]x" in agenther("show", folder.parent / "out", f"run {ESCAPES}").stdout
    done = agenther("run", folder / f"{name}.jsonl", "-o", folder.parent / "strict", "--strict")
    assert done.returncode == 1
    assert agenther("read", folder.parent / ESCAPES.replace("/", "|")).returncode == 1


def test_secrets_are_in_no_error(folder: Path) -> None:
    key = "sk-proj-" + "a1B2c3D4e5F6" * 4
    odd = [
        {"messages": key},
        {"messages": [{"role": key}]},
        chat(reward=f"Authorization: Bearer {key}"),
        [key],
        {key: key},
    ]
    (folder / "odd.jsonl").write_text("\n".join(map(json.dumps, odd)))
    code, errors, _ = run(folder)
    assert code == 3
    assert len(errors) == len(odd)
    assert key[:20] not in json.dumps(errors)
    done = agenther("run", folder / "odd.jsonl", "-o", folder.parent / "strict", "--strict")
    assert key[:20].encode() not in done.stdout + done.stderr


def test_many_files(tmp_path: Path) -> None:
    made = tmp_path / "traces"
    made.mkdir()
    for number in range(1500):
        (made / f"{number}.json").write_text(json.dumps(chat(id=str(number))))
    code, errors, rows = run(made)
    assert (code, errors, len(rows)) == (0, [], 1500)


def test_a_long_line_between_good_ones(folder: Path) -> None:
    good = json.dumps(chat(id="a")).encode()
    with (folder / "long.jsonl").open("wb") as file:
        file.write(good + b'\n{"messages":"')
        for _ in range(100):
            file.write(b"a" * (1 << 20))
        file.write(b'"}\n' + good.replace(b'"a"', b'"b"'))
    probe = "import sys, agenther.cli; sys.argv[1:] = ['read', '--runs', sys.argv[1]]\n"
    probe += "try: agenther.cli.main()\n"
    probe += "finally: print('peak', int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) // 1024)"
    command = [sys.executable, "-c", probe, str(folder / "long.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S)
    assert done.returncode == 3
    assert "long.jsonl:2 line: expected at most 64 MiB" in done.stderr
    assert done.stdout.count("Where is the mill?") == 2
    assert int(done.stdout.split("peak ")[1].split()[0]) < 200


def test_utf_16_is_read(folder: Path) -> None:
    text = json.dumps(chat(id="wide")) + "\n"
    (folder / "wide.jsonl").write_text(text * 3, encoding="utf-16")
    (folder / "wide.json").write_text(text, encoding="utf-16")
    code, errors, rows = run(folder)
    assert (code, errors, len(rows)) == (0, [], 7)
