from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers.webarena_json import WebArenaJsonReader
from agenther.trajectory import Trajectory

GOAL = "Open the page of the oak lamp"
CLICK, STOP = "I see it. ```click [4]```", "Done. ```stop []```"


def page(path: str, text: str = "[1] RootWebArea 'Attic'") -> dict[str, str]:
    return {"user": f"URL: http://attic.example{path}\n\nobservation:\n{text}", "image": "data/images/x.png"}


def record(*wrote: str, **more: Any) -> dict[str, Any]:
    messages = [m for i, text in enumerate(wrote) for m in (page(f"/{i}"), {"assistant": text})]
    named = {"sites": ["shopping"], "task_id": 7, "intent": GOAL, "achievable": True, "eval_types": ["url_match"]}
    return named | {"messages": messages, "success": False} | more


def read(tmp_path: Path, content: object) -> list[Trajectory | ReadError]:
    path = tmp_path / "json_dump.json"
    path.write_bytes(orjson.dumps(content))
    return list(WebArenaJsonReader().read(path))


def one(tmp_path: Path, content: dict[str, Any]) -> Trajectory:
    (found,) = read(tmp_path, {"example_7": content})
    assert isinstance(found, Trajectory), found
    return found


def test_a_run(tmp_path: Path) -> None:
    run = one(tmp_path, record(CLICK, STOP))
    first = "URL: http://attic.example/0\n\n[1] RootWebArea 'Attic'"
    assert run.steps[0].message == f"{GOAL}\n\n{first}"
    assert [run.text_at(span) for span in run.shown_at] == [first]
    _, click, stop = run.steps
    assert (click.tool_calls[0].function_name, click.tool_calls[0].values) == ("click", {"bid": "4"})
    assert click.observations[0].content.startswith("URL: http://attic.example/1\n")
    assert stop.tool_calls[0].values == {"answer": ""}
    assert (run.success, run.label_source, run.task_id) == (False, "webarena.success", "webarena/7")
    assert run.labels["eval_types"] == ["url_match"]


def test_a_run_that_broke_has_no_outcome(tmp_path: Path) -> None:
    assert one(tmp_path, record(CLICK)).success is None
    assert one(tmp_path, record(CLICK, success=True)).success is True


def test_a_limit_is_no_step_and_a_failure(tmp_path: Path) -> None:
    run = one(tmp_path, record(CLICK, "stop [Early stop: Reach max steps 1]"))
    assert (run.success, run.labels["truncated"], len(run.agent_steps)) == (False, True, 1)


def test_the_right_answer_is_kept_where_words_are_judged(tmp_path: Path) -> None:
    more = {"eval_types": ["string_match"], "reference_answers": {"must_include": ["4", "oak"]}}
    assert one(tmp_path, record(CLICK, STOP, **more)).labels["reference"] == ["4", "oak"]
    assert "reference" not in one(tmp_path, record(CLICK, STOP, **more | {"eval_types": ["url_match"]})).labels


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (3, "example_7"),
        (record(CLICK, intent=None), "example_7.intent"),
        (record(CLICK, intent=""), "example_7.intent"),
        (record(CLICK, success="yes"), "example_7.success"),
        (record(), "example_7.messages"),
        (record(messages=[page("/"), page("/")]), "example_7.messages[1].assistant"),
        (record(messages=[{"user": "hello"}, {"assistant": CLICK}]), "example_7.messages[0].user"),
        (record(messages=[page("/")]), "example_7.messages[0]"),
    ],
)
def test_a_bad_record_does_not_lose_its_neighbours(tmp_path: Path, content: object, where: str) -> None:
    bad, good = read(tmp_path, {"example_7": content, "example_8": record(CLICK, STOP)})
    assert isinstance(bad, ReadError)
    assert bad.where == where
    assert isinstance(good, Trajectory)


def test_sniffing() -> None:
    sniff = WebArenaJsonReader().sniff
    assert sniff(Path("x.json"), orjson.dumps({"example_7": record(CLICK, STOP)}, option=orjson.OPT_INDENT_2))
    assert not sniff(Path("x.json"), b'{"examples": {"intent": 1}}')
    assert not sniff(Path("x.json"), b'{"example_7": 3}')


def test_a_list_is_no_summary(tmp_path: Path) -> None:
    (found,) = read(tmp_path, [record(CLICK)])
    assert isinstance(found, ReadError)


def test_a_short_goal_is_not_looked_for_on_the_page(tmp_path: Path) -> None:
    messages = [page("/0", "[4] link 'Lamps'"), {"assistant": CLICK}, page("/1"), {"assistant": STOP}]
    run = one(tmp_path, record(intent="Lamps", messages=messages))
    assert [(span.start, span.end) for span in run.goal_at] == [(0, len("Lamps"))]
