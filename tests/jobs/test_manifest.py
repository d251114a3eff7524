from __future__ import annotations

from agenther.jobs.manifest import COUNTED, Summary


def test_what_did_not_occur_is_counted_as_none() -> None:
    assert Summary().to_json()["counts"] == dict.fromkeys(sorted(COUNTED), 0)
