"""Score tasks that were made for WebArena-Verified by its own evaluator, with its Python.

    python score_webarena.py FOLDER SITE=URL...

Prints a JSON line a task: the scores of the run itself, of an empty answer, of doing nothing, of a near miss, and the highest of
the runs of all tasks that ask for something else. The evaluator hangs at a private attribute, which only this file touches.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from webarena_verified.api import WebArenaVerified
from webarena_verified.types.config import WebArenaVerifiedConfig
from webarena_verified.types.eval import TaskEvalContext
from webarena_verified.types.task import WebArenaVerifiedTask
from webarena_verified.types.tracing import NetworkTrace

folder, sites = Path(sys.argv[1]), dict(one.split("=", 1) for one in sys.argv[2:])
config = WebArenaVerifiedConfig(environments={f"__{name.upper()}__": {"urls": [url]} for name, url in sites.items()})
evaluator = WebArenaVerified(config=config)._evaluator
EMPTY = NetworkTrace(is_playwright=False, src_file=Path("none"), events=())


def score(task: WebArenaVerifiedTask, response: object, entries: list[object]) -> float:
    """Return the score of a response and a recording."""
    trace = NetworkTrace.from_content(entries) if entries else EMPTY
    raw = json.dumps(response) if response is not None else ""
    found = evaluator.evaluate_task(
        context=TaskEvalContext(task=task, agent_response_raw=raw, network_trace=trace, config=config)
    )
    return found.score


def elsewhere(entries: list[dict]) -> list[dict]:
    """Return a recording that ends on another page, or in which something else was sent."""
    last = json.loads(json.dumps(entries[-1]))
    if "postData" in last["request"]:
        last["request"]["postData"]["text"] = last["request"]["postData"]["text"].replace("=", "=other+", 1)
        return [*entries[:-1], last]
    parts = urlsplit(last["request"]["url"])
    last["request"]["url"] = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/another-page", query=""))
    return [*entries, last]


def changed(response: dict) -> dict:
    """Return a response that says something else."""
    data = response["retrieved_data"]
    if not data:
        return response
    values = [one + 1 if isinstance(one, int | float) else f"{one} other" for one in data[:1]]
    return {**response, "retrieved_data": [*values, *data[1:]]}


text = (folder / "tasks.json").read_text(encoding="utf-8")
rows, proofs = json.loads(text), []
for row in rows:
    proof = folder / "oracle" / str(row["task_id"])
    response = json.loads((proof / "agent_response.json").read_text(encoding="utf-8"))
    proofs.append((response, json.loads((proof / "network.har").read_text(encoding="utf-8"))["log"]["entries"]))

for row, own, (response, entries) in zip(rows, json.loads(text), proofs, strict=True):
    task = WebArenaVerifiedTask.model_validate(own)  # which takes names out of what it is given
    retrieves = response["task_type"] == "RETRIEVE"
    others = [proof for other, proof in zip(rows, proofs, strict=True) if other["eval"] != row["eval"]]
    print(
        json.dumps(
            {
                "task": task.task_id,
                "type": response["task_type"],
                "own": score(task, response, entries),
                "empty": score(task, None, entries),
                "noop": score(task, {**response, "retrieved_data": None}, [] if retrieves else entries[:1]),
                "wrong": score(task, changed(response), entries if retrieves else elsewhere(entries)),
                "others": max((score(task, *proof) for proof in others), default=0),
                "n_others": len(others),
            }
        )
    )
