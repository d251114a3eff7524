from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import read_head
from agenther.readers.discover import find_inputs, pick_reader
from agenther.readers.webarena_html import WebArenaHtmlReader
from agenther.trajectory import Trajectory

GOAL = "How many oak lamps does the attic list?"
SITE = "http://attic.example"
CONFIG: dict[str, Any] = {
    "sites": ["shopping"],
    "task_id": 7,
    "start_url": SITE,
    "intent_template": "How many {{thing}} does the attic list?",
    "intent": GOAL,
    "eval": {"eval_types": ["string_match"], "reference_answers": {"exact_match": "4"}, "reference_url": ""},
    "intent_template_id": 31,
}
HOME = "Tab 0 (current): Attic\n\n[1] RootWebArea 'Attic' focused: True\n\t[4] link 'Lamps <b>&amp; shades'"
LAMPS = "Tab 0 (current): Lamps\n\n[1] RootWebArea 'Lamps'\n\t[9] StaticText '</pre> <script> oak'"
THINK = "The lamps are behind the link. In summary, the next action I will perform is ```click [4]```"
ANSWER = "There are three. ```stop [3]```"


def block(url: str, page: str, wrote: str, printed: str, told: str = "None", image: str = "", answer: str = "") -> str:
    shot = f"<img src='data:image/png;base64,{image}' style='width:50vw; height:auto;'/>\n" if image else ""
    return (
        f"<h2>New Page</h2>\n<h3 class='url'><a href={url}>URL: {url}</a></h3>\n"
        f"<div class='state_obv'><pre>{page}</pre><div>\n{shot}"
        f"<div class='prev_action' style='background-color:pink'>{told}</div>\n"
        f"<div class='predict_action'>"
        f"<div class='raw_parsed_prediction' style='background-color:grey'><pre>{wrote}</pre></div>"
        f"<div class='action_object' style='background-color:grey'><pre>{{'answer': {answer!r}}}</pre></div>"
        f"<div class='parsed_action' style='background-color:yellow'><pre>{printed}</pre></div></div>\n"
    )


CLICK = block(f"{SITE}/", HOME, THINK, "click [4] where [4] is [4] link 'Lamps'", image="iVBOR" * 20)
STOP = block(f"{SITE}/lamps", LAMPS, ANSWER, "stop [3]", "click [4] where [4] is [4] link 'Lamps'")


def rendered(*blocks: str, **config: Any) -> str:
    settings = "".join(f"{key}: {value}\n" for key, value in (CONFIG | config).items())
    body = f"<pre>{settings}</pre>\n{''.join(blocks)}"
    return f"\n<!DOCTYPE html>\n<head>\n</head>\n<html>\n    <body>\n     {body}\n    </body>\n</html>\n"


def read(folder: Path, page: str | bytes, name: str = "render_7.html") -> Trajectory | ReadError:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(page.encode() if isinstance(page, str) else page)
    (found,) = WebArenaHtmlReader().read(path)
    return found


def one(folder: Path, page: str | bytes, name: str = "render_7.html") -> Trajectory:
    found = read(folder, page, name)
    assert isinstance(found, Trajectory), found
    return found


def test_a_run_begins_with_the_goal_and_its_first_page(tmp_path: Path) -> None:
    run = one(tmp_path / "small-9b", rendered(CLICK, STOP))
    first = f"URL: {SITE}/\n\n{HOME}"
    assert run.steps[0].message == f"{GOAL}\n\n{first}", "raw text stays raw"
    assert [run.text_at(span) for span in run.goal_at] == [GOAL]
    assert [run.text_at(span) for span in run.shown_at] == [first]
    assert (run.goal, run.task_id, run.id) == (GOAL, "webarena/7", "small-9b/render_7")
    assert (run.success, run.label_source, run.answer_by) == (None, None, "message")
    assert run.labels["reference"] == "4"
    assert run.labels["sites"] == ["shopping"]


def test_an_action_shows_the_page_after_it(tmp_path: Path) -> None:
    _, click, stop = one(tmp_path, rendered(CLICK, STOP)).steps
    (call,) = click.tool_calls
    assert (call.function_name, call.values) == ("click", {"bid": "4"})
    assert call.at is not None
    assert click.message == THINK
    assert click.message[slice(*call.at)] == "click [4]"
    assert [click.message[a:b] for a, b in click.thought_at] == [THINK[: -len(" ```click [4]```")]]
    (seen,) = click.observations
    assert (seen.content, seen.role, seen.source_call_id) == (
        f"URL: {SITE}/lamps\n\n{LAMPS}",
        "user",
        call.tool_call_id,
    )
    assert (stop.tool_calls[0].values, stop.observations) == ({"answer": "3"}, ())


def test_an_action_that_failed_says_so_on_the_next_page(tmp_path: Path) -> None:
    told = 'Attempt to perfom "click" on element "[4]" but no matching element found.'
    _, click, _ = one(tmp_path, rendered(CLICK, block(f"{SITE}/", HOME, ANSWER, "stop [3]", told))).steps
    assert click.observations[0].content.startswith(f"URL: {SITE}/\nError: {told}\n\nTab 0")


def test_what_the_harness_could_not_parse_is_no_call(tmp_path: Path) -> None:
    _, lost, _ = one(tmp_path, rendered(block(f"{SITE}/", HOME, "I give ```up```", "none"), STOP)).steps
    assert (lost.tool_calls, lost.message, len(lost.observations)) == ((), "I give ```up```", 1)


@pytest.mark.parametrize(
    ("printed", "labels"),
    [
        (
            "Early stop: Reach max steps 30",
            {"terminate_reason": "Reach max steps 30", "truncated": True, "max_steps": 30},
        ),
        ("Early stop: Same action for 3 times", {"terminate_reason": "Same action for 3 times"}),
        ("ERROR: RateLimitError: slow down", {"harness_error": "RateLimitError: slow down"}),
    ],
)
def test_the_harness_stopping_is_no_step_of_the_agent(tmp_path: Path, printed: str, labels: dict[str, object]) -> None:
    run = one(tmp_path, rendered(CLICK, block(f"{SITE}/lamps", LAMPS, "", f"stop [{printed}]")))
    assert len(run.agent_steps) == 1
    assert run.steps[-1].observations[0].content.endswith(LAMPS)
    assert {key: run.labels.get(key) for key in labels} == labels


@pytest.mark.parametrize(
    ("logs", "success", "error"),
    [
        ({"merged_log.txt": "x - INFO - [Result] (FAIL) config_files/7.json\n[Result] (PASS) config_files/17.json"}, False, None),
        ({"log_1.log": "[Result] (FAIL) /tmp/x/7.json\n[Result] (PASS) /tmp/x/7.json"}, True, None),
        ({"a.log": "[Result] (FAIL) 7.json", "b.log": "[Result] (PASS) 7.json"}, None, None),
        ({"error.txt": "[Config file]: c/7.json\n[Unhandled Error] Error('crashed')\nTraceback"}, None, "Error('crashed')"),
        ({"a.log": "[Result] (PASS) c/7.json\n[Config file]: c/7.json\n[OpenAI Error] Error()"}, None, "Error()"),
        ({"a.log": "[Result] (PASS) config_files/8.json\n\xff"}, None, None),
    ],
)  # fmt: skip
def test_the_log_beside_holds_the_outcome(
    tmp_path: Path, logs: dict[str, str], success: bool | None, error: str | None
) -> None:
    for name, text in logs.items():
        (tmp_path / name).write_text(text, encoding="latin-1")
    run = one(tmp_path, rendered(CLICK, STOP))
    assert (run.success, run.label_source) == (success, None if success is None else "webarena.result")
    assert run.labels.get("harness_error") == error


def test_of_the_logs_of_many_jobs_only_named_ones_count(tmp_path: Path) -> None:
    job, logs = tmp_path / "results", tmp_path / "log_files"
    logs.mkdir()
    (logs / "log_1.log").write_text("[Result] (PASS) c/7.json")
    (logs / "log_2.log").write_text("[Result] (FAIL) c/7.json")
    assert one(job, rendered(CLICK, STOP)).success is None
    (job / "log_files.txt").write_text("log_files/log_2.log\n")
    assert one(job, rendered(CLICK, STOP)).success is False


def test_the_settings_of_the_job_name_the_model_and_the_limit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model": "small-9b", "max_steps": 15}))
    run = one(tmp_path, rendered(CLICK, STOP))
    assert (run.agent, run.labels["max_steps"]) == ("small-9b", 15)
    assert {path.name for path in find_inputs(tmp_path)} == {"render_7.html"}


def test_a_task_that_cannot_be_done_has_no_right_answer(tmp_path: Path) -> None:
    check = {"eval_types": ["string_match"], "reference_answers": {"fuzzy_match": "N/A"}}
    labels = one(tmp_path, rendered(CLICK, STOP, eval=check)).labels
    assert (labels["achievable"], "reference" in labels) == (False, False)


@pytest.mark.parametrize(
    ("page", "where"),
    [
        ("<html></html>", "record"),
        (rendered(), "record"),
        (rendered(CLICK, intent=" "), "intent"),
        (rendered(CLICK.split("<div class='prev_action'")[0]), "pages[0]"),
        (rendered(CLICK, STOP.replace("URL: ", "")), "pages[1]"),
        (rendered(CLICK).encode().replace(b"Lamps", b"\xff\xfe"), "pages[0]"),
        (rendered(block(f"{SITE}/", HOME, "", "stop [Early stop: Reach max steps 0]")), "record"),
    ],
)
def test_a_bad_page_is_an_error(tmp_path: Path, page: str | bytes, where: str) -> None:
    found = read(tmp_path, page)
    assert isinstance(found, ReadError)
    assert found.where == where


def test_huge_and_deep_pages_are_read_at_once(tmp_path: Path) -> None:
    deep = "<div>" * 200_000 + "<!--" * 100_000 + "<a b='" * 100_000 + "<pre>" * 50_000
    run = one(tmp_path, rendered(block(f"{SITE}/", deep, THINK, "click [4]"), STOP))
    assert run.steps[0].message.endswith(deep)
    assert isinstance(read(tmp_path, "<pre>" + "<div class='url" * 200_000), ReadError)


def test_sniffing(tmp_path: Path) -> None:
    path = tmp_path / "render_7.html.gz"
    path.write_bytes(gzip.compress(rendered(CLICK).encode()))
    assert WebArenaHtmlReader().sniff(path, read_head(path))
    assert pick_reader(path) is READERS["webarena-html"]
    assert WebArenaHtmlReader().sniff(path, rendered().encode())
    assert not WebArenaHtmlReader().sniff(path, b"<html><pre>a page</pre></html>")
    assert not WebArenaHtmlReader().sniff(path, b'{"html": "<div class=state_obv><pre>"}')
