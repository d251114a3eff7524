"""Runs between processes."""

from __future__ import annotations

from agenther.jobs.conclude import pack, unpack
from agenther.testing import assistant, make_trajectory, tool, tool_call, tool_schema, user


def test_a_run_comes_to_another_process_as_it_was() -> None:
    run = make_trajectory(
        user("Weigh the crates 🚢"),
        assistant("", tool_call("weigh", crate=7)),
        tool('{"kg": 1e-7}'),
        assistant("Crate 7 is light."),
        tools=(tool_schema("weigh"),),
        reward=0.1,
        labels={"limits": [1, None, 2.5]},
    )
    key, text = pack(run)
    assert unpack((key, text)) == run
    assert unpack((key, text)).key == run.key == run.model_copy().key
    assert unpack((key, text)).stored == run.model_copy().stored
