from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.jobs.job import read
from agenther.readers.discover import find_inputs, pick_reader
from agenther.trajectory import Trajectory

VALID = Path(__file__).parent / "valid" / "agent-reward-bench.json"
HEADER = (
    "annotator_name,benchmark,task_id,model_name,exp_name,"
    "trajectory_success,trajectory_side_effect,trajectory_optimality,trajectory_looping"
)
RUN = "cleaned/harbour/GullAgent-small/GullAgent-small_on_harbour/harbour.3.json"


def record(**more: Any) -> dict[str, Any]:
    return orjson.loads(VALID.read_bytes()) | more


def write(root: Path, value: Any, *annotations: str) -> Path:
    path = root / RUN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(value))
    rows = [f"A,harbour,harbour.3,GullAgent-small,x,{row}" for row in annotations]
    if rows:
        (root / "annotations.csv").write_text("\n".join((HEADER, *rows)))
    return path


def only(path: Path) -> Trajectory:
    (item,) = read(path)
    assert isinstance(item, Trajectory), item
    return item


def test_a_run_is_its_goal_with_the_first_page_and_the_turns_with_the_page_after(tmp_path: Path):
    run = only(write(tmp_path, record()))
    opening, first, second = run.steps
    goal = "Reserve berth 7 for the boat Puffin from Monday"
    assert run.goal == goal
    assert opening.message == f"{goal}\n\nURL: http://harbour.example/\n\n[3] link 'Berths'"
    assert first.reasoning == "First the list of berths."
    assert first.tool_calls[0].values == {"bid": "3"}
    assert first.observations[0].content.startswith("URL: http://harbour.example/berths\n\n[5] button")
    assert second.observations[0].content.endswith("\n\nStaticText 'Berth 9 is yours'")
    assert (run.success, run.label_source) == (False, "agent-reward-bench.cum_reward")
    assert run.id == "GullAgent-small_on_harbour/harbour.3"
    assert run.labels["benchmark"] == "harbour"


@pytest.mark.parametrize(
    ("reward", "rows", "success"),
    [
        (0, ["Unsuccessful,No,2. Suboptimal,Yes"], False),
        (0, ["Successful,No,4. Completely Optimal,No"], True),
        (1, ["Successful,Yes,3. Somewhat Optimal,No"], True),
        (1, ["Unsuccessful,No,1. Complete Failure,Yes"], None),
        (0, ["Successful,No,2. Suboptimal,No", "Unsuccessful,No,2. Suboptimal,No"], None),
        (0, ["Unsuccessful,No,2. Suboptimal,No", "Unsuccessful,No,2. Suboptimal,No"], False),
        (1, ["Unsure,Unsure,Unsure,No"], None),
    ],
)
def test_people_decide_where_they_agree(tmp_path: Path, reward: int, rows: list[str], success: bool | None):
    ended = record()["summary_info"] | {"cum_reward": reward}
    run = only(write(tmp_path, record(summary_info=ended), *rows))
    assert run.success is success
    assert run.label_source == (None if success is None else "agent-reward-bench.annotations")
    said = run.labels["annotations"]
    assert isinstance(said, list)
    assert len(said) == len(rows)


@pytest.mark.parametrize("table", [b"task_id,other\nharbour.3,x\n", b"\xff\xfe", b"", HEADER.encode()])
def test_tables_of_others_are_left_alone(tmp_path: Path, table: bytes):
    path = write(tmp_path, record())
    (tmp_path / "annotations.csv").write_bytes(table)
    assert only(path).label_source == "agent-reward-bench.cum_reward"


def test_what_broke_and_what_was_cut_off_is_said(tmp_path: Path):
    ended = {"cum_reward": 0.0, "err_msg": "the browser died", "terminated": False, "truncated": True}
    run = only(write(tmp_path, record(summary_info=ended)))
    assert run.success is None
    assert run.labels["harness_error"] == "the browser died"
    assert run.labels["truncated"] is True


def test_judgments_are_neither_runs_nor_errors(tmp_path: Path):
    write(tmp_path, record())
    for name in ("harbour.3.json", "harbour.3_error.json", "harbour.4.json"):
        path = tmp_path / "judgments" / "harbour" / "GullAgent-small" / "gull-judge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(record(trajectory_info={})))
    assert [path.name for path in find_inputs(tmp_path)] == ["harbour.3.json", "harbour.4.json"]
    assert isinstance(pick_reader(path), ReadError)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"goal": None}, "goal"),
        ({"goal": " \n"}, "goal"),
        ({"steps": []}, "steps"),
        ({"steps": {}}, "steps"),
        ({"steps": [3]}, "steps[0]"),
        ({"steps": [{"action": ["click"]}]}, "steps[0].action"),
        ({"steps": [{"url": 3}]}, "steps[0].url"),
        ({"summary_info": []}, "summary_info"),
    ],
)
def test_errors_name_their_place(tmp_path: Path, more: dict[str, Any], where: str):
    (item,) = read(write(tmp_path, record(**more)))
    assert isinstance(item, ReadError)
    assert item.where == where
