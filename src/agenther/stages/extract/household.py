"""Household text games: what the agent verifiably changed. The game prints every effect; a state stays with its object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agenther.conclusions import Claim
from agenther.record import Json
from agenther.stages.language.household import Event, events, sort_of, tells_of_change
from agenther.trajectory import Span, Trajectory

_LIGHTS = ("lamp", "light")


@dataclass
class _World:
    """What the printed lines say of the objects so far."""

    held: dict[str, str] = field(default_factory=dict[str, str])
    """Held object to the place it was taken from."""
    states: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])
    """Object to the changes it went through; heating undoes cooling and the other way round."""
    takes: dict[str, Event] = field(default_factory=dict[str, Event])
    puts: list[Event] = field(default_factory=list[Event])


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each object put somewhere, cleaned, heated, cooled, or held under a lamp that was turned on."""
    if not any(tells_of_change(o.content) for step in trajectory.agent_steps for o in step.observations):
        return
    world = _World()
    for step in trajectory.agent_steps:
        for event in events(step):
            match event.kind:
                case "take":
                    world.held[event.thing] = event.place
                    world.takes[event.thing] = event
                case "clean" | "heat" | "cool":
                    _change(world, event)
                    yield _claim(world, event, event.thing, event.place)
                case "put":
                    yield _claim(world, event, event.thing, event.place)
                    world.puts.append(event)
                    world.held.pop(event.thing, None)
                case "light" if sort_of(event.thing).endswith(_LIGHTS):
                    for thing in world.held:
                        yield _claim(world, event, thing, event.thing)
                case _:
                    pass


def _change(world: _World, event: Event) -> None:
    undone = {"heat": "cool", "cool": "heat"}.get(event.kind)
    before = [e for e in world.states.get(event.thing, []) if e.kind not in (undone, event.kind)]
    world.states[event.thing] = [*before, event]


def _claim(world: _World, event: Event, thing: str, place: str) -> Claim:
    states = world.states.get(thing, []) if event.kind == "put" else []
    alike = [
        put
        for put in world.puts
        if event.kind == "put"
        and sort_of(put.thing) == sort_of(thing)
        and sort_of(put.place) == sort_of(place)
        and put.thing != thing
    ]
    taken = world.takes.get(thing)
    data: dict[str, Json] = {
        "kind": event.kind,
        "thing": thing,
        "place": place,
        "from": world.held.get(thing),
        "states": list[Json](state.kind for state in states),
        "others": list[Json](sorted({put.thing for put in alike})),
    }
    evidence = (event.span, *(s.span for s in states), *(p.span for p in alike), *_spans(taken))
    return Claim(text=_text(event, thing, place, states), kind="household.effect", evidence=evidence, data=data)


def _spans(event: Event | None) -> tuple[Span, ...]:
    return () if event is None else (event.span,)


_DONE = {"clean": "cleaned", "heat": "heated", "cool": "cooled"}


def _text(event: Event, thing: str, place: str, states: list[Event]) -> str:
    if event.kind == "light":
        return f"held {thing} while turning on {place}"
    if event.kind == "put":
        before = "".join(f" {_DONE[state.kind]}" for state in states)
        return f"put{before} {thing} in/on {place}"
    return f"{_DONE[event.kind]} {thing} using {place}"
