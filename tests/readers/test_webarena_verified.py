from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.discover import find_inputs, pick_reader
from agenther.readers.webarena_verified import WebArenaVerifiedReader
from agenther.trajectory import Trajectory

GOAL = "Rename the pottery wheel to 'Wheel No. 2'"
SITE = "http://kiln.example"
PAGE = (
    "<html><head><title>Wheels &amp; kilns</title><style>p {}</style></head><body><h1>Wheels</h1><p>3 <b>left</b></p>"
)
RESPONSE = '{"task_type": "MUTATE", "status": "SUCCESS", "retrieved_data": null}'
TASK = {"task_id": 41, "intent_template_id": 5, "sites": ["shopping_admin"], "intent": GOAL, "start_urls": ["__KILN__"]}
DOCUMENT = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}


def entry(path: str, method: str = "GET", *, headers: dict[str, str] | None = None, **answer: Any) -> dict[str, Any]:
    sent = answer.pop("sent", None)
    listed = [{"name": name, "value": value} for name, value in (DOCUMENT if headers is None else headers).items()]
    listed += [
        {"name": "Cookie", "value": "PHPSESSID=very-secret"},
        {"name": "Authorization", "value": "Bearer very-secret"},
    ]
    request = {"method": method, "url": f"{SITE}{path}", "headers": listed, "cookies": []}
    content = {"mimeType": "text/html; charset=utf-8", "text": answer.pop("body", "")}
    response = {"status": 200, "statusText": "OK", "redirectURL": "", "content": content} | answer
    return {"request": request | ({"postData": sent} if sent else {}), "response": response}


def form(text: str, kind: str = "application/x-www-form-urlencoded") -> dict[str, str]:
    return {"mimeType": kind, "text": text}


HOME = entry("/admin/", body=PAGE)
SAVE = entry(
    "/admin/wheel/save", "POST", sent=form("name=Wheel+No.+2&tag=a&tag=b&form_key=k77&password=hunter2"),
    status=302, statusText="Found", redirectURL="/admin/wheel/7",
)  # fmt: skip
SAVED = entry("/admin/wheel/7", body="<title>Wheel No. 2</title>You saved it.")


def evaluation(status: str = "failure", **more: Any) -> dict[str, Any]:
    checks: list[dict[str, Any]] = [
        {"evaluator_name": "AgentResponseEvaluator", "status": "success", "score": 1.0, "assertions": None,
         "expected": {"task_type": "mutate", "retrieved_data": None}},
        {"evaluator_name": "NetworkEventEvaluator", "status": "failure", "score": 0.0,
         "assertions": [{"assertion_name": "post_data", "status": "failure"}, {"assertion_name": "url", "status": "success"}]},
    ]  # fmt: skip
    return {"task_id": 41, "status": status, "score": float(status == "success"), "evaluators_results": checks} | more


def folder(root: Path, *entries: object, **files: Any) -> Path:
    """Write a task's folder; a file given as None is left out."""
    path = root / "runs" / "41"
    path.mkdir(parents=True)
    contents = {"agent_response.json": RESPONSE, "eval_result.json": evaluation(), "../tasks.json": [TASK]}
    contents |= {"network.har": {"log": {"entries": list(entries)}}} | files.pop("more", {})
    for name, content in contents.items():
        if content is not None:
            (path / name).write_bytes(content.encode() if isinstance(content, str) else orjson.dumps(content))
    return path / "agent_response.json"


def read(path: Path) -> Trajectory | ReadError:
    (found,) = WebArenaVerifiedReader().read(path)
    return found


def one(path: Path) -> Trajectory:
    found = read(path)
    assert isinstance(found, Trajectory), found
    return found


def test_pages_and_forms_are_the_steps(tmp_path: Path) -> None:
    run = one(folder(tmp_path, HOME, SAVE, SAVED))
    first, home, save, answer = run.steps
    assert (first.message, [run.text_at(span) for span in run.goal_at]) == (GOAL, [GOAL])
    assert (home.tool_calls[0].function_name, home.tool_calls[0].values) == ("goto", {"url": f"{SITE}/admin/"})
    assert (
        home.observations[0].content == f"URL: {SITE}/admin/\nTitle: Wheels & kilns\nStatus: 200 OK\n\nWheels\n3 left"
    )
    assert save.tool_calls[0].function_name == "submit_form"
    assert save.tool_calls[0].values == {
        "url": f"{SITE}/admin/wheel/save",
        "method": "POST",
        "data": {"name": "Wheel No. 2", "tag": ["a", "b"], "form_key": "<SECRET>", "password": "<SECRET>"},
    }
    assert save.observations[0].content.startswith(f"URL: {SITE}/admin/wheel/7\nTitle: Wheel No. 2\nStatus: 200 OK\n")
    assert (answer.message, answer.tool_calls, run.answer_by) == (RESPONSE, (), "message")


def test_outcome_and_labels(tmp_path: Path) -> None:
    run = one(folder(tmp_path, HOME))
    assert (run.success, run.reward, run.label_source) == (False, 0.0, "webarena-verified.status")
    assert (run.id, run.task_id) == ("runs/41", "webarena-verified/41")
    assert run.labels["failed_assertions"] == ["NetworkEventEvaluator: post_data"]
    assert (run.labels["steps_from"], run.labels["sites"]) == ("network", ["shopping_admin"])


@pytest.mark.parametrize(
    ("result", "success", "error"),
    [
        (evaluation("success"), True, None),
        (evaluation("partial_match"), False, None),
        (evaluation("error", error_msg="no events"), None, "no events"),
        (None, None, None),
    ],
)
def test_every_status(tmp_path: Path, result: object, success: bool | None, error: str | None) -> None:
    run = one(folder(tmp_path, HOME, more={"eval_result.json": result}))
    assert (run.success, run.labels.get("error")) == (success, error)
    assert run.reward == (None if success is None else float(success))


def test_the_right_data_is_a_label_where_there_is_one(tmp_path: Path) -> None:
    for i, (data, kept) in enumerate([(["3"], ["3"]), ([["3", "three"]], None), ([], None)]):
        check = {"evaluator_name": "AgentResponseEvaluator", "score": 0, "expected": {"retrieved_data": data}}
        result = evaluation(evaluators_results=[check])
        labels = one(folder(tmp_path / str(i), HOME, more={"eval_result.json": result})).labels
        assert labels.get("reference") == kept


def test_what_no_agent_asked_for_is_no_step(tmp_path: Path) -> None:
    passed_over = [
        entry("/logo.png"),
        entry("/data", headers={"Accept": "application/json"}),
        entry("/frame", headers={"Accept": "text/html", "Sec-Fetch-Dest": "iframe"}),
        entry("/guess", headers={**DOCUMENT, "Sec-Purpose": "prefetch"}),
        entry("/ajax", headers={"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}),
        {"request": {"method": "GET", "url": "data:text/html,x"}, "response": {}},
    ]
    run = one(folder(tmp_path, *passed_over, entry("/old", headers={"accept": "text/html"})))
    assert [call.values for step in run.steps for call in step.tool_calls] == [{"url": f"{SITE}/old"}]


def test_what_is_sent_in_the_background_has_a_name_of_its_own(tmp_path: Path) -> None:
    sent = form('{"note": {"text": "ok", "authToken": "t"}, "ids": [1]}', "application/json")
    run = one(folder(tmp_path, entry("/notes", "POST", headers={"Accept": "*/*"}, sent=sent)))
    (call,) = run.steps[1].tool_calls
    assert call.function_name == "send_request"
    assert call.values["data"] == {"note": {"text": "ok", "authToken": "<SECRET>"}, "ids": [1]}


def test_a_form_in_parts(tmp_path: Path) -> None:
    parts = [
        'Content-Disposition: form-data; name="title"\r\n\r\nWheel',
        'Content-Disposition: form-data; name="_token"\r\n\r\nabc',
        'Content-Disposition: form-data; name="file"; filename="w.png"\r\nContent-Type: image/png\r\n\r\nPNG...',
    ]
    text = "".join(f"--XX\r\n{part}\r\n" for part in parts) + "--XX--\r\n"
    run = one(folder(tmp_path, entry("/post", "POST", sent=form(text, "multipart/form-data; boundary=XX"))))
    assert run.steps[1].tool_calls[0].values["data"] == {"title": "Wheel", "_token": "<SECRET>", "file": "w.png"}


def test_no_secret_enters_a_step(tmp_path: Path) -> None:
    secret = entry("/a?private_token=very-secret&q=1", body="hello")
    secret["request"]["url"] = secret["request"]["url"].replace("http://", "http://user:very-secret@")
    params = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "pwd", "value": "very-secret"}]}
    run = one(
        folder(
            tmp_path, secret, entry("/b", "POST", sent=params), entry("/c", "POST", sent=form("token very-secret", "x"))
        )
    )
    assert "very-secret" not in run.model_dump_json()
    assert run.steps[1].tool_calls[0].values == {"url": f"{SITE}/a?private_token=<SECRET>&q=1"}


@pytest.mark.parametrize(("status", "line"), [(404, "Error: 404 Not Found"), (-1, "Error: no answer")])
def test_a_request_that_failed_says_so(tmp_path: Path, status: int, line: str) -> None:
    run = one(folder(tmp_path, entry("/lost", status=status, statusText="Not Found")))
    assert run.steps[1].observations[0].content == f"URL: {SITE}/lost\n{line}"


def test_a_trace_of_playwright(tmp_path: Path) -> None:
    lines = [{"type": "context-options"}, {"type": "resource-snapshot", "snapshot": HOME}]
    network = b"\n".join(map(orjson.dumps, lines))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trace.network", network)
    path = folder(tmp_path / "zip", more={"network.har": None})
    path.with_name("trace.zip").write_bytes(packed.getvalue())
    plain = folder(tmp_path / "plain", more={"network.har": None, "trace.network": network.decode()})
    assert one(path).steps == one(plain).steps
    assert len(one(path).steps) == 3
    path.with_name("trace.zip").write_bytes(packed.getvalue()[:40])
    broken = read(path)
    assert isinstance(broken, ReadError)
    assert broken.path.endswith("trace.zip")


def test_the_goal_is_asked_for_where_nothing_says_it(tmp_path: Path) -> None:
    found = read(folder(tmp_path, HOME, more={"../tasks.json": [TASK | {"task_id": 40}]}))
    assert isinstance(found, ReadError)
    assert found.where == "task 41"
    assert "webarena-verified.json" in found.expected


@pytest.mark.parametrize("name", ["task.json", "../webarena-verified.json", "../../tasks.json", "../tasks.jsonl"])
def test_places_of_the_task_file(tmp_path: Path, name: str) -> None:
    content = TASK if "task.json" in name else [TASK]
    text = orjson.dumps(TASK).decode() if name.endswith("l") else content
    assert one(folder(tmp_path, HOME, more={"../tasks.json": None, name: text})).goal == GOAL


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"network.har": None}, "folder"),
        ({"network.har": "{"}, "column 2"),
        ({"network.har": {"log": {}}}, "log.entries"),
        ({"network.har": {"log": {"entries": [3]}}}, "log.entries[0]"),
        ({"network.har": {"log": {"entries": [{"request": {"url": 3}}]}}}, "log.entries[0].request.url"),
        ({"network.har": {"log": {"entries": [entry("/") | {"response": 3}]}}}, "log.entries[0].response"),
        ({"network.har": {"log": {"entries": []}}, "agent_response.json": " "}, "run"),
        ({"eval_result.json": {"status": "fine"}}, "status"),
        ({"eval_result.json": "[]"}, "record"),
    ],
)
def test_a_bad_folder_is_an_error(tmp_path: Path, more: dict[str, Any], where: str) -> None:
    found = read(folder(tmp_path, HOME, more=more))
    assert isinstance(found, ReadError)
    assert found.where == where


def test_one_file_stands_for_a_folder(tmp_path: Path) -> None:
    path = folder(tmp_path, HOME, more={"run_config.json": {}, "../eval_results.json": {}, "../../tasks.json": [TASK]})
    assert list(find_inputs(tmp_path / "runs")) == [path]
    assert pick_reader(path) is READERS["webarena-verified"]
    path.unlink()
    (left,) = find_inputs(path.parent)
    assert left.name == "eval_result.json"
    assert len(one(left).steps) == 2, "a run whose agent never answered"


def test_no_secret_of_an_answer_in_json_enters_a_step(tmp_path: Path) -> None:
    body = orjson.dumps({"name": "Wheel", "customer": {"access_token": "very-secret", "pass": "very-secret"}}).decode()
    content = {"mimeType": "application/json", "text": body}
    sent = form("name=miller&pass=very-secret")
    run = one(folder(tmp_path, entry("/login", "POST", sent=sent, content=content)))
    assert "very-secret" not in run.model_dump_json()
    assert '{"name":"Wheel","customer":{"access_token":"<SECRET>"' in run.steps[1].observations[0].content
