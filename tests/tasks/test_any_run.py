"""Whatever a run holds, a label becomes a task that behaves or is set aside."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tasks.material import example_of

from agenther.conclusions import Claim
from agenther.literals import printed_rows
from agenther.tasks.base import SetAside, Task
from agenther.tasks.derive import derive
from agenther.tasks.harbor import Harbor
from agenther.tasks.visits import lasting, same_page
from agenther.tasks.webarena import WebArenaVerified
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.testing.make import tool_schema
from agenther.trajectory import whole_field

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CELL = st.integers() | st.floats() | TEXT | st.none() | st.booleans()
SHOWN = st.one_of(
    TEXT,
    st.sampled_from(["a", "[('a', 3), ('b', 4)]", "[(3,)]", '{"x": "a", "y": [3, "a"]}', '{"x": {"y": "a"}, "z": 3}']),
    st.lists(st.tuples(CELL, CELL), max_size=4).map(repr),
    st.lists(st.tuples(CELL), max_size=4).map(repr),
    st.builds("URL: http://{}\nStatus: 200 OK\n".format, TEXT),
    st.sampled_from(
        ['{"a": 1e999}', "[[1e999]]", '{"a": {"b": "c"}}', "URL: http://[\nTitle: x", "URL: http://h:99999/\n"]
    ),
)
DOMAIN = st.sampled_from(["sql", "shell", "rest", "qa", "open", "web", "dialogue", "code", "shopping"])
GOAL = st.sampled_from(["What are the a and b of all?", "For each a, how many are there?", "List them, sorted by a."])


@settings(max_examples=300, deadline=None)
@given(
    SHOWN, st.lists(TEXT, max_size=3), DOMAIN, GOAL, st.dictionaries(TEXT.filter(str.isidentifier), CELL, max_size=2)
)
def test_a_label_becomes_a_task_that_behaves_or_is_set_aside(
    shown: str, answers: list[str], domain: str, goal: str, arguments: dict[str, object]
) -> None:
    call = tool_call("ask")
    run = make_trajectory(
        user("Do it."), assistant("", call, {**call, "id": "c2", "function": {"name": "change", "arguments": str(arguments)}}),
        tool(shown), tool(shown, "c2"), assistant("Done."), tools=(tool_schema("ask"), tool_schema("change")),
    )  # fmt: skip
    claim = Claim(text="it", kind=f"{domain}.fact", evidence=(whole_field(run.step(2), "observations[0].content"),))
    found = derive(example_of(run, goal, domain, claim, answers=tuple(answers)), run)
    if isinstance(found, SetAside):
        assert found.detail
        return
    assert found.controls["oracle"] == 1
    assert found.controls["noop"] == 0
    assert Task.model_validate_json(found.model_dump_json()) == found
    for target in (Harbor(), WebArenaVerified()):
        target.render(found, 0)


@given(st.text(max_size=40) | st.builds("http://h/{}?{}={}&p=2#{}".format, TEXT, TEXT, TEXT, TEXT))
def test_what_lasts_of_a_url_leads_to_the_same_page(url: str) -> None:
    assert lasting(lasting(url)) == lasting(url)
    assert same_page(url, lasting(url))


@given(st.lists(st.tuples(CELL, TEXT), min_size=1, max_size=4))
def test_rows_come_back_as_they_were_printed(rows: list[tuple[object, str]]) -> None:
    found = printed_rows(repr(rows))
    assert found is None or found == [list(row) for row in rows] or "Decimal(" in repr(rows)
