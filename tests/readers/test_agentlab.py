from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.readers.agentlab_runs import (
    BERTHS,
    GOAL,
    HOME,
    SITE,
    AgentInfo,
    Array,
    Message,
    StepInfo,
    page,
    summary,
    usual_steps,
    write_pickle,
    write_run,
)

from agenther.errors import ReadError
from agenther.jobs.job import read
from agenther.readers.agentlab import AgentLabReader
from agenther.readers.base import read_head
from agenther.readers.discover import find_inputs, pick_reader
from agenther.trajectory import Trajectory


def only(path: Path) -> Trajectory:
    (item,) = read(path)
    assert isinstance(item, Trajectory), item
    return item


def error(path: Path) -> str:
    (item,) = read(path, format="agentlab")
    assert isinstance(item, ReadError)
    return str(item)


@pytest.mark.parametrize("protocol", range(6))
def test_an_action_is_followed_by_the_page_of_the_next_step(tmp_path: Path, protocol: int):
    run = only(write_run(tmp_path, usual_steps(), summary(), protocol=protocol))
    assert [step.source for step in run.steps] == ["user", "agent", "agent"]
    opening, first, second = run.steps
    assert opening.message == f"{GOAL}\n\nURL: {SITE}/\nTitle: Harbour office\n\n[3] link 'Berths'"
    assert [run.text_at(span) for span in run.goal_at] == [GOAL]
    assert [run.text_at(span) for span in run.shown_at] == [opening.message[len(GOAL) + 2 :]]
    assert first.reasoning == "First the list of berths."
    assert [(call.function_name, call.values) for call in first.tool_calls] == [("click", {"bid": "3"})]
    assert first.observations[0].content.startswith(f"URL: {SITE}/berths\nTitle: Berths\n\n[5] button")
    assert first.observations[0].source_call_id == first.tool_calls[0].tool_call_id
    assert second.observations[0].content.endswith("Berth 9 is yours'")
    assert run.success is False
    assert run.reward == 0
    assert run.agent == "GullAgent-small"
    assert run.task_id is not None
    assert run.task_id.startswith("harbour.berths.3/")
    assert run.labels == {"n_steps": 2, "terminated": True, "truncated": False, "task_seed": 42, "max_steps": 10}


@pytest.mark.parametrize(
    ("ended", "success"),
    [
        (summary(cum_reward=1.0), True),
        (summary(cum_reward=2), True),
        (summary(cum_reward=0.5), False),
        (summary(truncated=True, terminated=False), False),
        (summary(err_msg="Exception uncaught\nKeyError:\n'x'", terminated=False), None),
        (summary(err_msg="the model said nothing useful once"), False),
        (summary(cum_reward=1.0, err_msg="something on the way"), True),
        (summary(cum_reward=None), None),
        (summary(cum_reward=True), None),
    ],
)
def test_the_summary_says_how_it_ended(tmp_path: Path, ended: dict[str, Any], success: bool | None):
    run = only(write_run(tmp_path, usual_steps(), ended))
    assert run.success is success
    assert (run.label_source is None) == (success is None)
    assert run.labels.get("harness_error") == ended["err_msg"]
    assert run.labels["truncated"] is ended["truncated"]


def test_a_run_without_a_summary_never_ended(tmp_path: Path):
    entry = write_run(tmp_path, usual_steps()[:2], None)
    assert [path.name for path in find_inputs(tmp_path)] == ["step_0.pkl.gz"]
    run = only(entry)
    assert run.success is None
    assert "no summary" in str(run.labels["harness_error"])
    assert run.steps[-1].tool_calls
    assert run.steps[-1].observations == ()
    empty = entry.with_name("summary_info.json")
    empty.touch()
    assert [path.name for path in find_inputs(tmp_path)] == ["summary_info.json"]
    assert only(empty).model_dump(exclude={"source"}) == run.model_dump(exclude={"source"})


def test_other_files_of_a_run_are_neither_runs_nor_errors(tmp_path: Path):
    entry = write_run(tmp_path, usual_steps(), summary())
    write_run(tmp_path, usual_steps(), summary(), name="2031-05-06_07-08-10_GullAgent_on_harbour.tides_1_2")
    entry.with_name("gull-4_autoeval.json").write_text('[{"idx": 3, "gt": 0.0, "rm": true, "thoughts": "", "uid": 3}]')
    entry.with_name("gull-5_autoeval.json").write_text('{"idx": 3, "gt": 0.0, "rm": null}')
    first, second = read(tmp_path)
    assert isinstance(first, Trajectory)
    assert isinstance(second, Trajectory)
    assert first.labels["autoeval"] == {"gull-4": True}
    assert isinstance(pick_reader(entry.with_name("step_1.pkl.gz")), ReadError)


def test_the_folder_names_task_and_agent_where_the_arguments_are_lost(tmp_path: Path):
    entry = write_run(tmp_path, usual_steps(), summary())
    entry.with_name("exp_args.pkl").unlink()
    run = only(entry)
    assert run.agent == "GullAgent-small"
    assert str(run.task_id).startswith("harbour.berths.3/")
    assert "max_steps" not in run.labels


def test_the_goal_is_the_text_of_its_parts_else_of_the_first_page(tmp_path: Path):
    parts = ({"type": "text", "text": "Find this boat"}, {"type": "image_url"}, {"type": "text", "text": "and hail it"})
    entry = write_run(tmp_path, usual_steps(), summary(), goal=parts)
    run = only(entry)
    assert run.goal == "Find this boat\nand hail it"
    assert run.labels["non_text_parts"] == ["image_url"]
    entry.with_name("goal_object.pkl.gz").unlink()
    assert only(entry).goal == GOAL


def test_a_goal_that_pages_repeat_is_found_there_and_a_short_one_is_not_looked_for(tmp_path: Path):
    steps = [StepInfo(0, HOME, "noop()"), StepInfo(1, page("/", "x", f"heading '{GOAL}' link 'Puffin'"))]
    run = only(write_run(tmp_path / "a", steps, summary()))
    assert [(span.step, span.field) for span in run.goal_at] == [(1, "message"), (2, "observations[0].content")]
    run = only(write_run(tmp_path / "b", steps, summary(), goal=({"type": "text", "text": "link"},)))
    assert [(span.step, span.start, span.end) for span in run.goal_at] == [(1, 0, 4)]


def test_errors_tabs_and_the_kind_of_page_are_those_that_the_agent_saw(tmp_path: Path):
    two = BERTHS | {
        "open_pages_urls": (SITE, f"{SITE}/berths"),
        "open_pages_titles": ("Front", "Back"),
        "active_page_index": Array(1),
        "last_action_error": "TimeoutError: Timeout\n  500ms exceeded",
        "pruned_html": "<b>Berths</b>",
    }
    lost = two | {"active_page_index": Array(0), "axtree_txt": None, "pruned_html": None}
    steps = [StepInfo(0, HOME, "tab_focus(1)"), StepInfo(1, two, "noop()"), StepInfo(2, lost)]
    entry = write_run(tmp_path, steps, summary())
    run = only(entry)
    shown = run.steps[1].observations[0].content
    assert shown.startswith(
        f"URL: {SITE}/berths\nTitle: Back\nError: TimeoutError: Timeout 500ms exceeded\n\n[5] button"
    )
    assert run.steps[2].observations[0].content.startswith(f"URL: {SITE}/berths\nError: ")
    assert run.labels["pages_without_text"] == 1
    flags = {"obs": {"use_html": True, "use_ax_tree": False}}
    write_pickle(entry.with_name("exp_args.pkl.gz"), {"agent_args": {"flags": flags}})
    entry.with_name("exp_args.pkl").write_bytes(read_head(entry.with_name("exp_args.pkl.gz")))
    assert only(entry).steps[1].observations[0].content.endswith("\n\n<b>Berths</b>")


def test_what_the_user_says_meanwhile_is_a_turn_and_at_the_end_a_label(tmp_path: Path):
    chat = BERTHS["chat_messages"]
    asked = BERTHS | {"chat_messages": (*chat, Message(role="user", message="Berth 7, please"))}
    ended = BERTHS | {"chat_messages": (*asked["chat_messages"], Message(role="user", message="Well done"))}
    steps = [StepInfo(0, HOME, "send_msg_to_user('Which?')"), StepInfo(1, asked, "click('5')"), StepInfo(2, ended)]
    run = only(write_run(tmp_path, steps, summary()))
    assert [(s.source, s.message) for s in run.steps[1:]] == [("agent", ""), ("user", "Berth 7, please"), ("agent", "")]
    assert run.labels["last_user_message"] == "Well done"


def test_a_page_that_never_came_is_no_observation(tmp_path: Path):
    steps = [StepInfo(0, HOME, "click('3')"), StepInfo(1, None)]
    run = only(write_run(tmp_path, steps, summary(err_msg="the browser died", terminated=None)))
    assert run.steps[-1].observations == ()
    assert run.success is None


def test_an_agent_that_found_no_action_has_thought(tmp_path: Path):
    steps = [StepInfo(0, HOME, "noop()"), StepInfo(1, BERTHS, None, AgentInfo("What now?"))]
    run = only(write_run(tmp_path, steps, summary(truncated=True)))
    assert (run.steps[-1].reasoning, run.steps[-1].tool_calls, run.steps[-1].observations) == ("What now?", (), ())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("step_1.pkl.gz", None, "step_1.pkl.gz"),
        ("step_1.pkl.gz", b"junk", "step_1.pkl.gz"),
        ("exp_args.pkl", b"cos\nsystem\n.", None),
        ("exp_args.pkl", b"\x80\x04P1\n.", "exp_args.pkl"),
        ("goal_object.pkl.gz", b"", "goal_object.pkl.gz"),
        ("summary_info.json", b"[]", "object"),
        ("summary_info.json", b"{", "JSON"),
    ],
)
def test_a_broken_file_of_a_run_is_named(tmp_path: Path, name: str, content: bytes | None, expected: str | None):
    entry = write_run(tmp_path, usual_steps(), summary())
    if content is None:
        entry.with_name(name).unlink()
    else:
        entry.with_name(name).write_bytes(content)
    if expected is None:
        assert only(entry).success is False
    else:
        assert expected in error(entry)


@pytest.mark.parametrize(
    "value", [None, 7, "text", [1], {"obs": 3}, {"obs": {"goal": 5, "url": [], "chat_messages": 3}}]
)
def test_steps_of_other_shapes_are_errors_or_runs_of_what_is_there(tmp_path: Path, value: Any):
    entry = write_run(tmp_path, usual_steps(), summary())
    for n in range(3):
        write_pickle(entry.with_name(f"step_{n}.pkl.gz"), value)
    run = only(entry)
    assert run.goal == GOAL
    entry.with_name("goal_object.pkl.gz").unlink()
    assert "goal" in error(entry)


def test_a_summary_alone_is_an_error_and_other_files_of_that_name_are_not_taken(tmp_path: Path):
    path = tmp_path / "summary_info.json"
    path.write_bytes(orjson.dumps(summary()))
    assert "step_0" in error(path)
    assert AgentLabReader().sniff(path, read_head(path))
    assert not AgentLabReader().sniff(path, b'{"runs": 3}')
    assert not AgentLabReader().sniff(tmp_path / "other.json", read_head(path))
    assert not AgentLabReader().companion(tmp_path / "berths.json")
