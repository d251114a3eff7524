"""Which calls are known to only look."""

from __future__ import annotations

import pytest

from agenther.record import Json
from agenther.stages.language.deeds import why_no_change
from agenther.testing import assistant, make_trajectory, tool, tool_call, user

PAGE = "[Back to Search]\nPage 1 (Total results: 2)\n[B0NV4WOOL1]\nWool Blanket\n$54.9\n"


def looks(name: str, came_back: str = "done", tools: tuple[Json, ...] = (), **arguments: Json) -> bool:
    run = make_trajectory(
        user("Sort it out"), assistant("", tool_call(name, **arguments)), tool(came_back), tools=tools
    )
    return why_no_change(run, run.step(2), 0) is not None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_order", {"id": 4}),
        ("github.list_issues", {}),
        ("mcp__notes__search_pages", {"query": "tides"}),
        ("order_status", {"id": 4}),
        ("findBoats", {"area": "north"}),
        ("goto", {"place": "shelf 1"}),
        ("think", {"thought": "Delete it?"}),
        ("finish", {"answer": "4"}),
        ("browser", {"action": "screenshot"}),
        ("call_api", {"method": "GET", "url": "https://harbour.example/boats"}),
        ("bash", {"command": "ls -la /srv && grep -rn tide /srv | head"}),
        ("bash", {"command": "cd /srv && git log --oneline 2>/dev/null | head -3"}),
        ("bash", {"command": "python -m pytest tests -q"}),
        ("bash", {"command": "curl -s https://harbour.example/tides"}),
        ("bash", {"command": "tide --version"}),
        ("sql", {"query": "SELECT name FROM boats; SHOW TABLES"}),
        ("run_query", {"query": "WITH b AS (SELECT * FROM boats) SELECT COUNT(*) FROM b"}),
        ("sql", {"query": "SELECT load, call FROM boats WHERE note = 'delete from x; drop'"}),
        ("python", {"code": "import math\nfor n in range(3):\n    print(math.sqrt(n), goto('shelf 1'))"}),
        ("python", {"code": "print(open('a.txt').read())"}),
        ("str_replace_editor", {"command": "view", "path": "a.py"}),
    ],
)
def test_looks(name: str, arguments: dict[str, Json]) -> None:
    assert looks(name, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cancel_order", {"id": 4}),
        ("update_details", {"id": 4}),
        ("check_in_guest", {"id": 4}),
        ("checkOutBoat", {"id": 4}),
        ("mark_paid", {"id": 4}),
        ("heat", {"thing": "egg 2"}),
        ("send_message", {"text": "Show me the boats"}),
        ("call_api", {"method": "POST", "url": "https://harbour.example/search"}),
        ("bash", {"command": "mv a.txt b.txt"}),
        ("bash", {"command": "git log > log.txt"}),
        ("bash", {"command": "git status && git commit -m tides"}),
        ("bash", {"command": "curl -X DELETE https://harbour.example/boats/4"}),
        ("bash", {"command": "curl -s -d name=Skua https://harbour.example/boats"}),
        ("sql", {"query": "SELECT 1; DELETE FROM boats"}),
        ("run_query", {"query": "UPDATE boats SET name = 'Skua'"}),
        ("sql", {"query": "WITH b AS (SELECT 1) INSERT INTO boats SELECT * FROM b"}),
        ("sql", {"query": "SELECT * INTO old FROM boats"}),
        ("python", {"code": "print(put('egg 2', 'shelf 1'))"}),
        ("python", {"code": "open('a.txt', 'w').write('x')"}),
        ("frobnicate", {"id": 4}),
    ],
)
def test_may_change(name: str, arguments: dict[str, Json]) -> None:
    assert not looks(name, **arguments)


def test_what_came_back_tells_too() -> None:
    assert looks("bash", "a.txt\ntar: Error is not recoverable: exiting now", command="tar -czf a.tgz a.txt")
    assert looks("bash", "bash: line 1: frob: command not found", command="frob a.txt")
    assert looks("click", PAGE, target="B0NV4WOOL1")
    assert not looks("click", "You have clicked oatmeal.", target="oatmeal")
    edit: dict[str, Json] = {"command": "str_replace", "path": "a.py", "old_str": "x", "new_str": "y"}
    assert looks("str_replace_editor", "No replacement was performed, old_str did not appear verbatim.", **edit)
    assert not looks("str_replace_editor", "The file a.py has been edited.", **edit)


def test_a_description_tells_where_the_name_does_not() -> None:
    schema: Json = {"type": "function", "function": {"name": "berths", "description": "Lists free berths."}}
    assert looks("berths", tools=(schema,))
    assert not looks("berths")
    lending: Json = {"type": "function", "function": {"name": "lend_boat", "description": "Check out a boat."}}
    assert not looks("lend_boat", tools=(lending,))
    renamed: Json = {"type": "function", "function": {"name": "update_berths", "description": "Lists them anew."}}
    assert not looks("update_berths", tools=(renamed,))


def test_pages_tell_what_a_click_does() -> None:
    page = "URL: http://shop.example/{at}\nRootWebArea '{title}'\n\t[11] link 'Boats'\n\t[12] button 'Delete boat'\n"
    home, boats = page.format(at="", title="Harbour"), page.format(at="boats", title="Boats")

    def clicked(bid: str, after: str) -> bool:
        run = make_trajectory(
            user("Sort it out"),
            assistant("", tool_call("goto", "c1", url="http://shop.example")),
            tool(home, "c1"),
            assistant("", tool_call("click", "c2", bid=bid)),
            tool(after, "c2"),
        )
        return why_no_change(run, run.step(3), 0) is not None

    assert clicked("11", boats)
    assert not clicked("12", home)
