"""Runs that do something else than the right one: what may go wrong with calls, drawn with a seed.

What a perturbed run is worth is not decided here: BFCL's checker says so, and some are still right.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from validity_calls import Call, Task, Turns

Maker = Callable[[Task, random.Random, "Pool"], Turns | None]
"""Makes a run of a task; None where the task offers no such fault."""


@dataclass(frozen=True)
class Pool:
    """What other tasks call, to draw plausible calls and values from."""

    calls: tuple[Call, ...]

    def values(self, name: str, tool: str) -> list[Any]:
        """Return the values that an argument has elsewhere, those of the same tool first."""
        same = [c.arguments[name] for c in self.calls if c.name == tool and name in c.arguments]
        return same or [c.arguments[name] for c in self.calls if name in c.arguments]

    def of(self, task: Task) -> list[Call]:
        """Return the calls whose tool a task has too."""
        return [call for call in self.calls if call.name in task.tools]


def places(turns: Turns) -> list[tuple[int, int]]:
    return [(t, i) for t, calls in enumerate(turns) for i in range(len(calls))]


def put(turns: Turns, at: tuple[int, int], calls: Sequence[Call], *, instead: bool) -> Turns:
    """Return the turns with calls put before a place, or in place of the call there."""
    turn, i = at
    made = (*turns[turn][:i], *calls, *turns[turn][i + (1 if instead else 0) :])
    return (*turns[:turn], made, *turns[turn + 1 :])


def with_argument(turns: Turns, at: tuple[int, int], name: str, value: Any) -> Turns:
    call = turns[at[0]][at[1]]
    return put(turns, at, [replace(call, arguments={**call.arguments, name: value})], instead=True)


def arguments(turns: Turns, *kinds: type) -> list[tuple[tuple[int, int], str, Any]]:
    """Return the arguments of all calls with their places, those of some types only when types are given."""
    found = [(at, n, v) for at in places(turns) for n, v in turns[at[0]][at[1]].arguments.items()]
    return [one for one in found if not kinds or type(one[2]) in kinds]


def another_value(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """An argument has a value that it has in another task."""
    for at, name, value in rng.sample(every := arguments(task.gold), len(every)):
        others = [v for v in pool.values(name, task.gold[at[0]][at[1]].name) if v != value]
        if others:
            return with_argument(task.gold, at, name, rng.choice(others))
    return None


def near_value(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A number is a little off."""
    every = [one for one in arguments(task.gold, int, float) if not isinstance(one[2], bool)]
    if not every:
        return None
    at, name, value = rng.choice(every)
    return with_argument(task.gold, at, name, rng.choice([value + 1, value - 1, value * 10, value + value / 10]))


def swapped_values(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """Two arguments of one call have each other's value."""
    pairs = [
        (at, a, b)
        for at in places(task.gold)
        for values in [task.gold[at[0]][at[1]].arguments]
        for a in values
        for b in values
        if a < b and values[a] != values[b] and type(values[a]) is type(values[b])
    ]
    if not pairs:
        return None
    at, a, b = rng.choice(pairs)
    values = task.gold[at[0]][at[1]].arguments
    return with_argument(with_argument(task.gold, at, a, values[b]), at, b, values[a])


def value_of_question(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """An argument has the value of another argument of the same run: all values are named, one in the wrong place."""
    every = arguments(task.gold)
    for at, name, value in rng.sample(every, len(every)):
        others = [v for place, _, v in every if place != at and type(v) is type(value) and v != value]
        if others:
            return with_argument(task.gold, at, name, rng.choice(others))
    return None


def value_left_out(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """An optional argument is not given."""
    every = [
        (at, name) for at, name, _ in arguments(task.gold) if name not in required(task, task.gold[at[0]][at[1]].name)
    ]
    if not every:
        return None
    at, name = rng.choice(every)
    call = task.gold[at[0]][at[1]]
    kept = {n: v for n, v in call.arguments.items() if n != name}
    return put(task.gold, at, [Call(call.name, kept)], instead=True)


def missing_step(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """One call is left out."""
    return put(task.gold, rng.choice(places(task.gold)), [], instead=True)


def missing_last(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """The last call of a turn with several is left out."""
    ends = [(t, len(calls) - 1) for t, calls in enumerate(task.gold) if len(calls) > 1]
    return put(task.gold, rng.choice(ends), [], instead=True) if ends else None


def extra_step(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A call that another task needs is made too."""
    others = [call for call in pool.of(task) if not any(call in turn for turn in task.gold)]
    return put(task.gold, somewhere(task.gold, rng), [rng.choice(others)], instead=False) if others else None


def repeated_step(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A call is made twice, the second time with one value of another task or none changed."""
    at = rng.choice(places(task.gold))
    call = task.gold[at[0]][at[1]]
    name = rng.choice([*call.arguments, None])
    others = [] if name is None else [v for v in pool.values(name, call.name) if v != call.arguments[name]]
    again = replace(call, arguments={**call.arguments, str(name): rng.choice(others)}) if others else call
    return put(task.gold, (at[0], at[1] + 1), [again], instead=False)


def wrong_tool(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A call goes to another tool that takes as many arguments of the same types."""
    choices = [
        (at, tool)
        for at in places(task.gold)
        for tool in task.tools
        if tool != task.gold[at[0]][at[1]].name and fits(task, tool, list(task.gold[at[0]][at[1]].arguments.values()))
    ]
    if not choices:
        return None
    at, tool = rng.choice(choices)
    values = task.gold[at[0]][at[1]].arguments.values()
    names = [*required(task, tool), *(n for n in properties(task, tool) if n not in required(task, tool))]
    return put(task.gold, at, [Call(tool, dict(zip(names, values, strict=False)))], instead=True)


def stopped_early(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """Nothing is done from some place on."""
    every = places(task.gold)
    if len(every) < 2:
        return None
    turn, i = rng.choice(every[1:])
    return (*task.gold[:turn], task.gold[turn][:i], *(() for _ in task.gold[turn + 1 :]))


def stopped_before_last(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """Nothing is done in the last turn."""
    return (*task.gold[:-1], ()) if len(task.gold) > 1 else None


def wandering(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """Up to three more calls that take no argument and are named as looking are made in between."""
    looks = [tool for tool in task.tools if not required(task, tool) and LOOKS.intersection(words(tool))]
    turns = task.gold
    for tool in rng.choices(looks, k=rng.randint(1, 3)) if looks else []:
        turns = put(turns, somewhere(turns, rng), [Call(tool, {})], instead=False)
    return turns if looks else None


def ignored_error(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A call names something that there is not, and the run goes on."""
    broken = misspelt(task, rng)
    return None if broken is None else put(task.gold, broken[0], [broken[1]], instead=True)


def mended_error(task: Task, rng: random.Random, pool: Pool) -> Turns | None:
    """A call names something that there is not, and is then made rightly."""
    broken = misspelt(task, rng)
    return None if broken is None else put(task.gold, broken[0], [broken[1]], instead=False)


KINDS: dict[str, tuple[Maker, int]] = {
    "correct": (lambda task, rng, pool: task.gold, 1),
    "wandering": (wandering, 1),
    "mended error": (mended_error, 1),
    "wrong argument: of another task": (another_value, 1),
    "wrong argument: near number": (near_value, 1),
    "wrong argument: swapped": (swapped_values, 1),
    "wrong argument: of the question": (value_of_question, 1),
    "wrong argument: left out": (value_left_out, 1),
    "missing step": (missing_step, 2),
    "missing last step of a turn": (missing_last, 1),
    "extra step": (extra_step, 1),
    "repeated step": (repeated_step, 1),
    "wrong tool": (wrong_tool, 2),
    "stopped early": (stopped_early, 1),
    "stopped before the last turn": (stopped_before_last, 1),
    "ignored error": (ignored_error, 1),
}
"""Each kind of run, and how many of it a task gets at most; equal ones count once."""
HARMFUL = "extra harmful step"
"""An extra step of which the checker says that it spoils the run: drawn anew until it does."""
TRIES = 12
LOOKS = frozenset("get list ls pwd view display show check find search".split())


def runs_of(task: Task, seed: int, pool: Pool) -> Iterator[tuple[str, Turns]]:
    """Yield the runs made for a task, each with its kind; none twice."""
    seen: set[str] = set()
    for kind, (make, most) in KINDS.items():
        for number in range(most):
            turns = make(task, random.Random(f"{seed} {task.id} {kind} {number}"), pool)
            if turns is None or (key := as_text(turns)) in seen:
                continue
            seen.add(key)
            yield kind, turns


def as_text(turns: Turns) -> str:
    return json.dumps([[call.record() for call in turn] for turn in turns], sort_keys=True)


def misspelt(task: Task, rng: random.Random) -> tuple[tuple[int, int], Call] | None:
    """Return a call with one letter of a short text doubled, or an id far off, and its place."""
    every = [
        one
        for one in arguments(task.gold, str, int)
        if not isinstance(one[2], bool) and len(str(one[2])) > 1 and " " not in str(one[2])
    ]
    if not every:
        return None
    at, name, value = rng.choice(every)
    wrong = value + 7919 if isinstance(value, int) else value[:1] + value[:1] + value[1:]
    call = task.gold[at[0]][at[1]]
    return at, replace(call, arguments={**call.arguments, name: wrong})


def somewhere(turns: Turns, rng: random.Random) -> tuple[int, int]:
    """Return a place for one more call: before or after any call of any turn."""
    turn = rng.randrange(len(turns))
    return turn, rng.randint(0, len(turns[turn]))


def properties(task: Task, tool: str) -> dict[str, Any]:
    return task.tools[tool]["parameters"]["properties"]


def required(task: Task, tool: str) -> list[str]:
    schema = task.tools.get(tool)
    return [] if schema is None else list(schema["parameters"].get("required") or ())


def fits(task: Task, tool: str, values: list[Any]) -> bool:
    """Tell whether a tool takes these values: as many as it requires, of the types that it says."""
    kinds = properties(task, tool)
    if not len(required(task, tool)) <= len(values) <= len(kinds):
        return False
    optional = [name for name in kinds if name not in required(task, tool)]
    names = [*required(task, tool), *optional]
    return all(TYPES.get(type(v)) == kinds[n].get("type") for n, v in zip(names, values, strict=False))


TYPES = {str: "string", int: "integer", float: "float", bool: "boolean", list: "array", dict: "dict"}


def words(name: str) -> list[str]:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name.replace("_", " ")).split()
