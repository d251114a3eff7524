"""What generated runs are about: one function a kind of task."""

from __future__ import annotations

from typing import Any

import orjson

from generated_words import OBSERVATION, TURNS, Writer

Message = dict[str, Any]


def tool(name: str, description: str, *parameters: str) -> Message:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


class Conversation:
    """Collects the messages of one run."""

    def __init__(self, goal: str, system: str | None = None) -> None:
        self.messages: list[Message] = [{"role": "system", "content": system}] if system else []
        self.messages.append({"role": "user", "content": goal})
        self._n = 0

    def call(self, name: str, output: str, said: str | None = None, /, **arguments: object) -> None:
        """Add a turn of the agent with one call, and the answer of the tool."""
        self._n += 1
        call_id = f"call_{self._n:03}"
        function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
        calls = [{"id": call_id, "type": "function", "function": function}]
        self.messages.append({"role": "assistant", "content": said, "tool_calls": calls})
        self.messages.append({"role": "tool", "tool_call_id": call_id, "name": name, "content": output})

    def say(self, text: str) -> None:
        """Add a turn of the agent without a call."""
        self.messages.append({"role": "assistant", "content": text})

    def ask(self, text: str) -> None:
        """Add a turn of the user."""
        self.messages.append({"role": "user", "content": text})


SHELL_TOOLS = [tool("bash", "Run a command in a shell and return its output.", "command")]


def shell(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent at a shell: listings, searches, counts, a failing change."""
    home = f"/srv/{task.name()}"
    chat = Conversation(
        f"Archive every {task.noun()} under {home} that is older than {task.number(2)} days and mail it to {task.name()}."
    )

    def paths(suffix: str = "csv", limit: int = OBSERVATION) -> str:
        rows: list[str] = []
        while sum(map(len, rows)) < limit:
            rows.append(f"{home}/{w.name()}/{w.noun()}-{w.number(3)}.{suffix}\n")
        return "".join(sorted(rows))

    def listing() -> str:
        rows: list[str] = []
        while sum(map(len, rows)) < OBSERVATION:
            day, name = w.random.randrange(10, 29), f"{w.noun()}-{w.number(3)}.csv"
            rows.append(f"-rw-r--r-- 1 ada ada {w.number(5)} May {day} 10:{w.number(2) % 60:02} {name}\n")
        return f"total {w.number(3)}\n{''.join(rows)}"

    word = w.noun()
    turns: list[tuple[str, str]] = [
        (f"ls -l {home}", listing()),
        (f"find {home} -type f -name '*.csv'", paths()),
        (f"grep -rl '{word}' {home}", paths("txt")),
        (f"cat {home}/notes.txt", w.text()),
        (f"find {home} -type f -name '*.log' -size +1M", paths("log")),
        (
            f"grep -rn '{word}' {home}/{w.name()}",
            "".join(f"{home}/{w.noun()}.md:{i}:the {word} {w.sentence()}\n" for i in range(1, 7)),
        ),
        (f"ls {home}/{w.name()} | wc -l", f"{w.number(2)}\n"),
    ]
    w.random.shuffle(turns)
    turns[-1] = (
        f"tar -czf /tmp/{w.name()}.tar.gz -T",
        "tar: option requires an argument -- 'T'\nTry 'tar --help' or 'tar --usage' for more information.\n",
    )
    if w.achieves():
        first, second = paths("dat", 1).strip(), f"{home}/{w.name()}.dat"
        chat.call("bash", f"{first}\n{second}\n", command=f"find {home} -type f -size +500M")
        chat.say(f"Two files under {home} are larger than 500 MB: {first} and {second}.")
        chat.ask("Good. Now make the archive, please.")
        turns = turns[2:]
    for command, output in turns:
        chat.call("bash", output, w.sentence() if w.random.random() < 0.3 else None, command=command)
    chat.say("I could not make the archive.")
    return chat, SHELL_TOOLS


REST_TOOLS = [
    tool("get_tide_times", "Get the times of high and low tide at a harbour on a given date.", "harbour", "date"),
    tool("list_departures", "List the ferry departures of a route on a given date.", "route", "date"),
    tool("find_route", "Find the code of the ferry route that serves a harbour.", "harbour"),
    tool("get_berth_price", "Get the price of a berth in a harbour on a given date.", "harbour", "date"),
]


def rest(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent with documented services that answer JSON."""
    harbour, date = task.name().title(), f"2031-0{task.random.randrange(1, 9)}-{task.random.randrange(10, 28)}"
    chat = Conversation(f"I sail to {harbour} on {date}. Tell me the tide there and reserve a berth for two nights.")

    def rows(*names: str) -> list[dict[str, object]]:
        return [{"id": f"{w.name()}-{w.number()}", **{name: w.number(3) for name in names}} for _ in range(12)]

    for i in range(TURNS - 2):
        match i % 3:
            case 0:
                answer = {"harbour": harbour, "date": date, "tides": rows("height_cm", "minute")}
                chat.call("get_tide_times", orjson.dumps(answer).decode(), harbour=harbour, date=date)
            case 1:
                answer = {"harbour": harbour, "routes": rows("code", "price")}
                chat.call("find_route", orjson.dumps(answer).decode(), harbour=harbour)
            case _:
                refused = {"error": f"no berth left in {harbour}: {w.text(OBSERVATION)}"}
                chat.call("get_berth_price", orjson.dumps(refused).decode(), harbour=harbour, date=date)
    high, low = (
        f"0{w.random.randrange(1, 9)}:{w.number(2) % 60:02}",
        f"1{w.random.randrange(1, 9)}:{w.number(2) % 60:02}",
    )
    if not w.achieves():
        refused = {"error": f"no tides known of {harbour}: {w.text(OBSERVATION)}"}
        chat.call("get_tide_times", orjson.dumps(refused).decode(), harbour=harbour, date=date)
        chat.say("Sorry, neither the tide nor a berth could be found.")
        return chat, REST_TOOLS
    chat.call(
        "get_tide_times", f'{{"harbour": "{harbour}", "high": "{high}", "low": "{low}"}}', harbour=harbour, date=date
    )
    chat.say(f"In {harbour} the tide is high at {high} and low at {low}. Sorry, no berth could be reserved.")
    return chat, REST_TOOLS


SEARCH_TOOLS = [
    tool("web_search", "Search the web and return the first results.", "query"),
    tool("open_page", "Open a page and return its text.", "url"),
]


def search(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent that looks things up and answers another question than it was asked."""
    place, person = f"{w.name().title()} footbridge", f"{w.name().title()} {w.name().title()}"
    chat = Conversation(f"In which town was the person born who first crossed the {task.name().title()} valley?")

    def results(first: str = "") -> str:
        found = [first] if first else []
        while sum(map(len, found)) < OBSERVATION:
            found.append(f"{w.name().title()} {w.noun()} ({w.name()}.example/{w.noun()})\n{w.sentence()}")
        return "\n".join(f"{i}. {one}" for i, one in enumerate(found, 1))

    for _ in range(TURNS - 3):
        chat.call("web_search", results(), query=f"{w.noun()} {place}")
    chat.call("open_page", w.text(), url=f"https://{w.name()}.example/{w.noun()}")
    told = f"{place} (bridges.example/{w.name()})\nThe {place}, opened in {w.number()}, was designed by {person}."
    chat.call("web_search", results(told), query=f"Who designed the {place}?")
    chat.say(person)
    return chat, SEARCH_TOOLS


SERVICE_TOOLS = [
    tool("find_user_id_by_email", "Find the id of a user by email.", "email"),
    tool("get_order_details", "Get the details of an order.", "order_id"),
    tool("cancel_pending_order", "Cancel a pending order.", "order_id", "reason"),
    tool(
        "return_delivered_order_items",
        "Return items of a delivered order.",
        "order_id",
        "item_ids",
        "payment_method_id",
    ),
]
SERVICE_RULES = (
    "You help customers of a lamp shop.\n\n- First find out who the customer is.\n- State what you will do and wait for yes."
    "\n- An order can be cancelled while it is pending, with the reason 'no longer needed' or 'ordered by mistake'."
)


def service(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent in a conversation with a customer."""
    first, second, user = f"#W{task.number(7)}", f"#W{task.number(7)}", f"{w.name()}_{w.name()}_{w.number()}"

    def order(number: str, status: str) -> str:
        items = [
            {
                "name": f"{w.name().title()} Lamp",
                "product_id": str(w.number(10)),
                "item_id": str(w.number(10)),
                "price": w.number(3) / 4,
            }
            for _ in range(6)
        ]
        paid = [
            {"transaction_type": "payment", "amount": w.number(3), "payment_method_id": f"credit_card_{w.number(7)}"}
        ]
        return orjson.dumps(
            {"order_id": number, "user_id": user, "status": status, "items": items, "payment_history": paid}
        ).decode()

    chat = Conversation(
        f"Hi! I ordered {first} by mistake and want to cancel it. Also, return the lamp of {second}.", SERVICE_RULES
    )
    chat.say("I can help with that. May I have your email address, so that I can find your account?")
    chat.ask(f"Sure, it is {w.name()}@{w.name()}.example.")
    chat.call("find_user_id_by_email", user, email=f"{w.name()}@{w.name()}.example")
    chat.call("get_order_details", order(first, "pending"), order_id=first)
    chat.say(
        f"Order {first} is pending. I would cancel it with the reason 'ordered by mistake'. Shall I go ahead (yes/no)?"
    )
    chat.ask("Yes, please.")
    if not w.achieves():
        refused = f"Error: order {first} has left the house: {w.text(OBSERVATION)}"
        chat.call("cancel_pending_order", refused, order_id=first, reason="ordered by mistake")
        chat.say("The order cannot be cancelled any more.")
        return chat, SERVICE_TOOLS
    chat.call("cancel_pending_order", order(first, "cancelled"), order_id=first, reason="ordered by mistake")
    chat.say(f"Your order {first} has been cancelled.")
    chat.ask(f"Great, thanks! And the lamp of order {second}?")
    chat.call("get_order_details", order(second, "processed"), order_id=second)
    chat.say(f"Order {second} is not delivered yet, so it cannot be returned.")
    return chat, SERVICE_TOOLS


HOUSE_TOOLS = [
    tool(name, f"{name.title()} in the room.", "object", "receptacle") for name in ("goto", "take_from", "put")
]


def household(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent in a small text world."""
    kind = task.random.choice(("flask", "wrench", "lantern", "rope"))
    thing = f"{kind} {w.number(1)}"
    places = [f"{place} {i}" for place in ("bench", "crate", "locker", "shelf") for i in (1, 2)]
    chat = Conversation(f"You see a {', a '.join(places)}.\nYour task is to: put two {kind} in locker.")

    def seen(place: str, *held: str) -> str:
        things = [*held, *(f"{w.noun()} {w.number(2)}" for _ in range(40))]
        return f"On the {place}, you see a {', a '.join(dict.fromkeys(things))}."

    for place in places[:4]:
        chat.call("goto", seen(place), receptacle=place)
    chat.call("goto", seen("shelf 1", thing), receptacle="shelf 1")
    chat.call("take_from", f"You pick up the {thing} from the shelf 1.", object=thing, receptacle="shelf 1")
    chat.call("goto", seen("locker 1"), receptacle="locker 1")
    done = f"You put the {thing} in/on the locker 1." if w.achieves() else "Nothing happens."
    chat.call("put", done, object=thing, receptacle="locker 1")
    return chat, HOUSE_TOOLS


PYTHON_TOOLS = [
    tool("run_python", "Run a program and return what it prints.", "code"),
    tool("submit", "Hand in.", "answer"),
]


def python(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent that computes, with tracebacks: no domain relabels it."""
    chat = Conversation(f"Compute the mean {task.noun()} of {task.path()} and explain the outliers. {task.text(200)}")
    for i in range(TURNS - 1):
        code = f"import csv\nrows = list(csv.reader(open('{w.path()}')))\nprint([r[{i}] for r in rows if r[0] == '{w.name()}'])"
        if i % 3 == 2:
            trace = (
                f"Traceback (most recent call last):\n  File \"<stdin>\", line {i}, in <module>\nKeyError: '{w.name()}'"
            )
            chat.call("run_python", f"{w.text(OBSERVATION)}\n{trace}", w.sentence(), code=code)
        else:
            chat.call(
                "run_python", "\n".join(f"{w.name()},{w.number()},{w.number(2) / 7:.3f}" for _ in range(30)), code=code
            )
    chat.call("submit", "Submitted.", answer=f"The mean is {w.number()} and {w.sentence()}")
    return chat, PYTHON_TOOLS


SQL_TOOLS = [tool("execute_sql", "Run a query on the database and return its rows.", "query")]


def sql(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent at a database. Measured apart: its queries are parsed."""
    table, town = f"{task.noun()}s", task.name().title()
    chat = Conversation(f"Which three {table} of {town} cost the most in 2024, and who bought each of them?")
    rows = [(w.name().title(), w.number(3)) for _ in range(28)]
    columns = [("name", "varchar(60)"), ("town", "varchar(40)"), ("price", "int"), ("year", "int")]
    described = [(name, kind, "YES", "", None, "") for name, kind in columns]
    for query, answer in (
        ("SHOW TABLES", str([(table,), ("buyers",)])),
        (f"DESC {table}", str(described)),
        (f"SELECT COUNT(*) FROM {table} WHERE town = '{town}'", f"[({w.number(2)},)]"),
        (f"SELECT name, price FROM {table} WHERE town = '{town}' AND price > {w.number(2)}", str(rows)),
        (f"SELECT town, COUNT(*) FROM {table} GROUP BY town", str(rows)),
        (f"SELECT name FROM {table} WHERE year = 2024 ORDER BY price DESC", str([(name,) for name, _ in rows])),
        (
            f"SELECT b.name FROM {table} t JOIN buyers b ON t.buyer = b.id",
            "Error executing query: Unknown column 't.buyer' in 'on clause'",
        ),
        (f"SELECT buyer FROM {table} LIMIT 3", "Error executing query: Unknown column 'buyer' in 'field list'"),
    ):
        chat.call("execute_sql", answer, query=query)
    return chat, SQL_TOOLS


def brief(task: Writer, w: Writer) -> tuple[Conversation, list[Message]]:
    """An agent that looks once and gives up. For measuring what grows with the number of runs, not with their length."""
    chat = Conversation(f"Tell me how many {task.noun()}s {task.name().title()} has sold since {task.number()}.")
    chat.call("bash", f"{w.number()} {w.path()}\n", command=f"wc -l {w.path()}")
    chat.say(f"I found {w.noun()} {w.number()} only.")
    return chat, SHELL_TOOLS
