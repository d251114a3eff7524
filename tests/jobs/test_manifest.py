from __future__ import annotations

from agenther.jobs.manifest import COUNTED, MOST_NAMED, Summary
from agenther.stages.package.note import Note


def test_what_did_not_occur_is_counted_as_none() -> None:
    assert Summary().to_json()["counts"] == dict.fromkeys(sorted(COUNTED), 0)


def test_of_many_environments_that_are_not_at_hand_some_are_named() -> None:
    summary = Summary()
    for number in range(MOST_NAMED + 2):
        summary.add("openai", False, Note(unreplayed=(f"'moon {number}' is not installed",) * 2), 0, None)
    assert len(summary.unreplayed) == MOST_NAMED + 1
    assert summary.unreplayed["others"] == 4
