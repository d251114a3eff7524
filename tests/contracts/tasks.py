"""What `make contracts-tasks` runs: the benchmarks' own code judges our tasks, each with a Python of its own.

    python -m tests.contracts.tasks webarena|harbor|bfcl PYTHON

Prints what was judged, and exits with 1 when a run does not pass its own task, an empty attempt or another goal passes it, or a
folder is not loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.tasks.material import SITE, desk_example, desk_run, example_of, shop_run, task_of, tide_run

from agenther.conclusions import Claim, Score, Verdict
from agenther.environments.bfcl import BFCL, make_bfcl
from agenther.environments.calls import parse_call
from agenther.errors import ReplayError
from agenther.record import Json
from agenther.replay import Setting
from agenther.stages.verify.replay.perform import RecordedCall, replay_run
from agenther.tasks.base import Oracle, Rendered, Request, Task, TaskCall
from agenther.tasks.derive import derive
from agenther.tasks.harbor import Harbor
from agenther.tasks.webarena import WebArenaVerified
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import whole_field

HERE = Path(__file__).parent
N_BFCL = 60


def ask(python: str, script: str, *words: str, given: str = "") -> list[dict[str, Any]]:
    """Run a script and return the JSON lines that it prints."""
    command = [python, str(HERE / script), *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def web_tasks() -> Iterable[Task]:
    """Yield tasks of all kinds on an invented shop."""
    for path in (
        "/glazes/ash-blue",
        "/glazes/ash-blue?colour=7&form_key=k&p=2",
        "/search?q=ash+blue#top",
        "/Glazes/Ash%20Blue/",
    ):
        yield task_of(shop_run(path))
    base = task_of(shop_run())
    answers: list[tuple[Json, bool]] = [
        ("14.00 EUR", False), (14, False), (0.5, False), (["Ash Blue", "Celadon"], False), ([3, 1, 2], True),
        (["2026-05-14"], False), ("$5.30", False), ("http://kiln.example:7770/glazes", False), ("true", False), ("07", False),
    ]  # fmt: skip
    for answer, ordered in answers:
        checker = base.checker.model_copy(update={"kind": "answer", "spec": {"answer": answer, "ordered": ordered}})
        oracle = Oracle(answer=answer, requests=base.oracle.requests)
        yield base.model_copy(update={"checker": checker, "oracle": oracle})
    for sent in ({"name": "Wheel 2", "id": "9"}, {"name": "a&b=c", "note": "Où 🧭"}):
        request = Request(method="POST", url=f"{SITE}/wheels/save", sent=dict(sent), status=200)
        named: dict[str, Json] = {"name": sent["name"]}
        spec: dict[str, Json] = {"method": "POST", "url": request.url, "sent": named, "status": 200}
        checker = base.checker.model_copy(update={"kind": "network", "spec": spec})
        yield base.model_copy(update={"checker": checker, "oracle": Oracle(requests=(*base.oracle.requests, request))})


def webarena(python: str, folder: Path) -> bool:
    """Let WebArena-Verified's evaluator score each task."""
    target, rows = WebArenaVerified(), list[Json]()
    for number, task in enumerate(web_tasks()):
        made = target.render(task, number)
        assert isinstance(made, Rendered), made
        write(folder, made)
        rows.append(made.rows["tasks.json"])
    (folder / "tasks.json").write_text(json.dumps(rows))
    scores = ask(python, "score_webarena.py", str(folder), f"shopping={SITE}")
    kinds = Counter(row["type"] for row in scores)
    bad = [
        row for row in scores if [row[name] for name in ("own", "empty", "noop", "wrong", "others")] != [1, 0, 0, 0, 0]
    ]
    n_others = sum(row["n_others"] for row in scores)
    print(
        f"webarena-verified: {dict(kinds)} own 1, empty 0, no-op 0, near miss 0, {n_others} other runs 0; otherwise: {bad or 0}"
    )
    return not bad and len(scores) == len(rows)


def harbor(python: str, folder: Path) -> bool:
    """Let Harbor's classes load each folder."""
    run = desk_run()
    desk = derive(desk_example(run), run)
    assert isinstance(desk, Task)
    tide = task_of(tide_run())
    tasks = [tide, desk.model_copy(update={"told_to": "agent"})]
    tasks.append(tide.model_copy(update={"id": "hostile", "goal": 'Say "x"\n\\ Où 🧭 \x7f <!-- # canary -->'}))
    for task in tasks:
        made = Harbor().render(task, 0)
        assert isinstance(made, Rendered), made
        write(folder, made)
    found = ask(python, "load_harbor.py", str(folder))
    goals = {task.id: task.goal for task in tasks}
    bad = [
        row["folder"]
        for row in found
        if not (
            row["valid"]
            and row["solution"]
            and row["schema"] == "1.4"
            and row["instruction"].startswith(goals[row["folder"]])
        )
    ]
    print(f"harbor: {len(found)} of {len(tasks)} folders loaded, otherwise: {bad or 0}")
    return not bad and len(found) == len(tasks)


def write(folder: Path, made: Rendered) -> None:
    """Write the files of a task."""
    for path, text in made.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def bfcl_task(entry: dict[str, Any], calls: list[TaskCall], gold: list[TaskCall]) -> Task | None:
    """Return the task of a run of these calls; None when they change nothing, or no less than the right ones."""
    labels: dict[str, Json] = {"gold_calls": [call.model_dump(mode="json") for call in gold]}
    run = make_trajectory(user("Do it."), assistant("", tool_call("all_of_them")), tool(""), labels=labels)
    initial = {name: entry[name] for name in ("involved_classes", "initial_config")}
    recorded = [RecordedCall(n + 2, call.name, call.arguments) for n, call in enumerate(calls)]
    try:
        replay = replay_run(make_bfcl, Setting(kind=BFCL, initial=initial), recorded).replay
    except ReplayError:
        return None
    verdict = Verdict(accepted=True, support=1.0, scores=(Score(by="check:replay", value=1.0, replay=replay),))
    claim = Claim(text="changed", kind="replay.effect", evidence=(whole_field(run.step(2), "tool_calls[0].arguments"),))
    found = derive(example_of(run, "Do something else.", "replay", claim, verdict=verdict), run)
    return found if isinstance(found, Task) else None


def shown(task: Task, calls: Iterable[TaskCall]) -> object:
    """Return what BFCL looks at of the state that calls reach: public attributes."""
    environment = make_bfcl()
    environment.reset(task.environment.initial)
    for call in calls:
        environment.call(call.name, call.arguments)
    state: Any = environment.snapshot()
    return {service: {k: v for k, v in one.items() if k[0] != "_"} for service, one in state.items()}


def bfcl(python: str, folder: Path) -> bool:
    """Make tasks of runs that stop one call early, and let BFCL's checker judge their attempts."""
    lines: list[str] = []
    n_alike = 0
    for row in ask(python, "score_bfcl.py", "entries", str(N_BFCL)):
        environment = make_bfcl()
        environment.reset({name: row["entry"][name] for name in ("involved_classes", "initial_config")})
        parameters: Any = getattr(environment, "parameters")  # noqa: B009
        parsed = [parse_call(text, parameters) for turn in row["gold"] for text in turn]
        gold = [TaskCall(name=call.name, arguments=call.arguments) for call in parsed]
        for end in range(len(gold) - 1, 0, -1):
            task = bfcl_task(row["entry"], gold[:end], gold)
            if task is None:
                continue
            oracle = [call.model_dump(mode="json") for call in task.oracle.calls]
            attempts = {"run": [c.model_dump(mode="json") for c in gold[:end]], "oracle": oracle, "noop": []}
            attempts |= {f"without_{n}": oracle[:n] + oracle[n + 1 :] for n in range(len(oracle))}
            if shown(task, task.oracle.calls) == shown(task, gold):
                n_alike += (
                    1  # they differ in attributes of the services at which BFCL does not look, such as the directory
                )
            else:
                attempts["original_gold"] = [call.model_dump(mode="json") for call in gold]
            lines.append(json.dumps({"entry": row["entry"], "oracle": oracle, "attempts": attempts}))
            break
    said = ask(python, "score_bfcl.py", "score", given="\n".join(lines))
    counts = Counter(
        (name.split("_")[0] if "without" in name else name, good) for one in said for name, good in one.items()
    )
    passing = {"run", "oracle"}
    bad = {f"{name} {good}": n for (name, good), n in counts.items() if good != (name in passing)}
    told = ", ".join(f"{name} {'passes' if good else 'fails'} {n}" for (name, good), n in sorted(counts.items()))
    print(
        f"bfcl: {len(said)} tasks of {N_BFCL} runs, {n_alike} of them like the right end to BFCL; {told}; otherwise: {bad or 0}"
    )
    return bool(said) and not bad


def main() -> int:
    """Judge the tasks of one target."""
    name, python = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        good = {"webarena": webarena, "harbor": harbor, "bfcl": bfcl}[name](python, Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
