"""Tasks of WebArena-Verified; `make contracts-tasks` has its own evaluator score them."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from tests.tasks.material import shop_run, task_of, tide_run

from agenther.record import Json
from agenther.tasks.base import Oracle, Rendered, Request, SetAside, Task, Unfit
from agenther.tasks.webarena import FIRST_ID, WebArenaVerified


def rendered(task: Task, **sites: str) -> Rendered:
    made = WebArenaVerified(sites).render(task, 3)
    assert isinstance(made, Rendered), made
    return made


def test_a_page_to_navigate_to() -> None:
    made = rendered(task_of(shop_run()))
    task, twin = cast(dict[str, Any], made.rows["tasks.json"]), cast(dict[str, Any], made.rows["tasks.original.json"])
    assert (task["task_id"], task["sites"], task["start_urls"]) == (FIRST_ID + 3, ["shopping"], ["__SHOPPING__/"])
    says, network = task["eval"]
    assert says["expected"] == {"task_type": "navigate", "status": "SUCCESS", "retrieved_data": None}
    assert network["expected"] == {"url": "__SHOPPING__/glazes/ash-blue", "http_method": "GET", "response_status": 200}
    assert {"form_key", "page", "token", "key", "sort"} <= set(network["ignored_query_params"])
    assert (twin["eval"]["eval_types"], twin["eval"]["reference_url"]) == (
        ["url_match"],
        "__SHOPPING__/glazes/ash-blue",
    )


def test_what_the_run_did_lies_beside() -> None:
    files = rendered(task_of(shop_run())).files
    recording = json.loads(files[f"oracle/{FIRST_ID + 3}/network.har"])
    urls = [entry["request"]["url"] for entry in recording["log"]["entries"]]
    assert urls[-1] == "http://kiln.example:7770/glazes/ash-blue"
    assert json.loads(files[f"oracle/{FIRST_ID + 3}/agent_response.json"])["task_type"] == "NAVIGATE"


def test_a_site_is_known_by_its_port_or_by_what_the_user_says() -> None:
    elsewhere = task_of(shop_run(site="http://kiln.example:5050"))
    found = WebArenaVerified().render(elsewhere, 0)
    assert isinstance(found, SetAside)
    assert (found.why, "http://kiln.example:5050" in found.detail) == (Unfit.UNKNOWN_SITE, True)
    made = rendered(elsewhere, reddit="http://kiln.example:5050/")
    assert made.rows["tasks.json"]["start_urls"] == ["__REDDIT__/"]


def test_a_site_ends_where_its_name_does() -> None:
    other = task_of(shop_run(site="http://kiln.example:5050.other"))
    found = WebArenaVerified({"reddit": "http://kiln.example:5050"}).render(other, 0)
    assert isinstance(found, SetAside)
    below = task_of(shop_run("/admin/glazes", site="http://kiln.example:5050"))
    made = rendered(below, shopping="http://kiln.example:5050", shopping_admin="http://kiln.example:5050/admin")
    assert made.rows["tasks.json"]["sites"] == ["shopping_admin"]


def test_the_admin_site_lies_below_its_path() -> None:
    run = shop_run("/admin/glazes", site="http://kiln.example:7780")
    made = cast(Any, rendered(task_of(run)).rows["tasks.json"])
    assert made["eval"][1]["expected"]["url"] == "__SHOPPING_ADMIN__/glazes"


def retrieval(answer: Json, *, ordered: bool = False) -> Rendered | SetAside:
    task = task_of(shop_run())
    checker = task.checker.model_copy(update={"kind": "answer", "spec": {"answer": answer, "ordered": ordered}})
    return WebArenaVerified().render(
        task.model_copy(update={"checker": checker, "oracle": Oracle(answer=answer, requests=task.oracle.requests)}), 0
    )


def test_values_to_retrieve() -> None:
    made = retrieval("14.00 EUR")
    assert isinstance(made, Rendered)
    (says,) = cast(Any, made.rows["tasks.json"]["eval"])
    assert says["expected"]["retrieved_data"] == ["14.00 EUR"]
    assert says["results_schema"] == {"type": "array", "items": {"type": "string"}}
    assert cast(Any, made.rows["tasks.original.json"])["eval"]["reference_answers"] == {"exact_match": "14.00 EUR"}
    numbers = retrieval([3, 4], ordered=True)
    assert isinstance(numbers, Rendered)
    (says,) = cast(Any, numbers.rows["tasks.json"]["eval"])
    assert (says["ordered"], says["results_schema"]["items"]) == (True, {"type": "number"})


@pytest.mark.parametrize("answer", [[["a", 3]], {"a": 3}, "^.*$", [], [None]])
def test_answers_that_the_evaluator_reads_otherwise(answer: Json) -> None:
    assert isinstance(retrieval(answer), SetAside)


def test_something_to_change() -> None:
    task = task_of(shop_run())
    url = "http://kiln.example:7770/wheels/save"
    sent = Request(method="POST", url=url, sent={"name": "Wheel 2", "id": "9"}, status=200)
    spec: dict[str, Json] = {"method": "POST", "url": url, "sent": {"name": "Wheel 2"}, "status": 200}
    checker = task.checker.model_copy(update={"kind": "network", "spec": spec})
    oracle = Oracle(requests=(*task.oracle.requests, sent))
    made = rendered(task.model_copy(update={"checker": checker, "oracle": oracle}))
    says, network = cast(Any, made.rows["tasks.json"]["eval"])
    assert says["expected"]["task_type"] == "mutate"
    assert network["expected"] == {
        "url": "__SHOPPING__/wheels/save", "http_method": "POST", "post_data": {"name": "Wheel 2"}, "response_status": 200,
    }  # fmt: skip
    har = json.loads(made.files[f"oracle/{FIRST_ID + 3}/network.har"])
    assert har["log"]["entries"][-1]["request"]["postData"]["text"] == "name=Wheel+2&id=9"


def test_a_run_without_a_browser_has_no_place() -> None:
    found = WebArenaVerified().render(task_of(tide_run()), 0)
    assert isinstance(found, SetAside)
    assert found.why is Unfit.OTHER_KIND
