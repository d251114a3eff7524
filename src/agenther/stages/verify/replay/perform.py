"""Making the calls of a run again: observations compared, calls that changed the state found, controls made.

Knows nothing of goals. What a replay means for one stands in `sentence` and `check`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agenther.environments.base import MakeEnvironment
from agenther.environments.session import TIME_LIMIT_S, Session
from agenther.errors import ReplayError
from agenther.record import Json, JsonObject
from agenther.replay import Change, Control, Replay, ReplayedCall, Setting
from agenther.stages.language.outcomes import is_error
from agenther.stages.verify.replay.diff import changes_between, same_state
from agenther.stages.verify.replay.drift import as_text, drift_between

MOST_CALLS = 400
"""Calls of a run that is replayed."""
MOST_WITHOUT_ONE = 24
"""Calls that changed something up to which each is left out once."""
_LONGEST_PATH = 120
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class RecordedCall:
    """A call of a run, and what came back."""

    step: int
    """step_id in the trajectory."""
    name: str
    arguments: JsonObject
    observation: str | None = None
    """None when the log does not hold it: then nothing is compared."""


@dataclass(frozen=True)
class Performed:
    """A replay with what is looked at and not kept: states and observations."""

    replay: Replay
    observations: tuple[str, ...]
    """What came back this time, a text for each call."""
    initial: Json
    final: Json
    made: tuple[tuple[Change, ...], ...]
    """What each call changed."""
    needed_for: Mapping[int, frozenset[int]]
    """Position of a call to those of the later calls that would fail without it, or change nothing or other places."""


def replay_run(
    make: MakeEnvironment,
    setting: Setting,
    calls: Sequence[RecordedCall],
    *,
    gold: Sequence[RecordedCall] | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Performed:
    """Make the calls again from the initial state, then those alone that changed it, and the controls.

    Every replay has a fresh instance. The control `oracle` replays the calls that changed the state, `noop` none,
    `without_one` all calls but one of the oracle's (found: some call can be left out), `original_gold` those of `gold`,
    where they can be made.

    Args:
        make: makes an instance of the environment.
        setting: the state to begin in.
        calls: in the order in which they were made.
        gold: calls that are known to reach the goal for which the run was recorded; None when unknown.
        time_limit_s: seconds that all of it may take.

    Raises:
        ReplayError: the environment refused a call or broke, took too long, or came to another state with the same calls.
    """
    if len(calls) > MOST_CALLS:
        raise ReplayError(f"expected at most {MOST_CALLS} calls, found {len(calls)}")
    end = time.monotonic() + time_limit_s
    first = _play(make, setting, calls, time_limit_s)
    replayed = tuple(
        ReplayedCall(
            step=call.step,
            name=call.name,
            arguments=call.arguments,
            changed=changed,
            drift=drift_between(call.observation, observation),
        )
        for call, changed, observation in zip(calls, first.changed, first.observations, strict=True)
    )
    oracle = tuple(number for number, changed in enumerate(first.changed) if changed)

    def play(chosen: Sequence[RecordedCall]) -> _Played | None:
        return _try(lambda: _play(make, setting, chosen, end - time.monotonic()))

    def reaches_end(played: _Played | None) -> bool:
        return played is not None and same_state(played.final, first.final)

    controls = [
        Control(name="noop", expected=False, found=same_state(first.initial, first.final)),
        Control(name="oracle", expected=True, found=reaches_end(play([calls[n] for n in oracle]))),
    ]
    if not controls[-1].found:
        _must_repeat(first, _play(make, setting, calls, end - time.monotonic()))
    needed_for: dict[int, frozenset[int]] = {}
    if 0 < len(oracle) <= MOST_WITHOUT_ONE:
        without = {left: play([*calls[:left], *calls[left + 1 :]]) for left in oracle}
        controls.append(Control(name="without_one", expected=False, found=any(map(reaches_end, without.values()))))
        needed_for = {left: _failing(left, first, played) for left, played in without.items()}
    if gold is not None:
        right = play(gold)
        if right is not None:
            controls.append(Control(name="original_gold", expected=False, found=reaches_end(right)))
    if time.monotonic() > end:
        raise ReplayError("the replay takes too long")
    replay = Replay(
        setting=setting,
        calls=replayed,
        oracle=oracle,
        changes=tuple(_with_call(change, first.made) for change in changes_between(first.initial, first.final)),
        controls=tuple(controls),
    )
    observations = tuple(map(as_text, first.observations))
    return Performed(replay, observations, first.initial, first.final, first.made, needed_for)


def end_state(
    make: MakeEnvironment, setting: Setting, calls: Sequence[RecordedCall], time_limit_s: float = TIME_LIMIT_S
) -> Json:
    """Return the state in which calls end.

    Raises:
        ReplayError: as for `replay_run`.
    """
    return _play(make, setting, calls, time_limit_s).final


@dataclass(frozen=True)
class _Played:
    """What one replay gave."""

    initial: Json
    final: Json
    observations: tuple[Json, ...]
    changed: tuple[bool, ...]
    made: tuple[tuple[Change, ...], ...]
    """What each call changed."""


def _play(make: MakeEnvironment, setting: Setting, calls: Sequence[RecordedCall], time_limit_s: float) -> _Played:
    observations: list[Json] = []
    made: list[tuple[Change, ...]] = []
    with Session(make, time_limit_s) as environment:
        state = initial = environment.reset(setting.initial)
        for call in calls:
            observations.append(environment.call(call.name, call.arguments))
            before, state = state, environment.snapshot()
            made.append(() if same_state(before, state) else changes_between(before, state))
    return _Played(initial, state, tuple(observations), tuple(map(bool, made)), tuple(made))


def _must_repeat(first: _Played, second: _Played) -> None:
    """Raise a ReplayError when two replays of the same calls differ in the state, from the beginning or in the end."""
    for one, other in ((first.initial, second.initial), (first.final, second.final)):
        differing = next((change.path or "/" for change in changes_between(one, other)), None)
        if differing is not None:
            where = differing[:_LONGEST_PATH]
            raise ReplayError(f"the environment is not deterministic: two equal replays differ in {where}")


def _try(play: Callable[[], _Played]) -> _Played | None:
    """Return a replay for a control; None for one whose calls cannot even be made."""
    try:
        return play()
    except ReplayError:
        return None


def _failing(left: int, first: _Played, without: _Played | None) -> frozenset[int]:
    """Return the later calls that fail when one is left out, or change nothing or other places."""
    later = range(left + 1, len(first.made))
    if without is None:
        return frozenset(later)

    def fails(number: int) -> bool:
        if _places(without.made[number - 1]) != _places(first.made[number]):
            return True
        now, then = as_text(without.observations[number - 1]), as_text(first.observations[number])
        return is_error(now) and not is_error(then)

    return frozenset(number for number in later if fails(number))


def _places(changes: Sequence[Change]) -> frozenset[str]:
    """Return where changes are, numbers of members and records not told apart."""
    return frozenset(_NUMBER.sub("#", change.path) for change in changes)


def _with_call(change: Change, made: Sequence[tuple[Change, ...]]) -> Change:
    """Return a change with the last call that left just this at this place, where one did."""
    for number in reversed(range(len(made))):
        if any((one.path, one.after) == (change.path, change.after) for one in made[number]):
            return change.model_copy(update={"call": number})
    return change
