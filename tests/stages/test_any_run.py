"""No run, however odd, breaks a stage: it is kept, or dropped with a reason."""

import asyncio
import json

import pytest
from hypothesis import example, given, settings

from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL, Config
from agenther.pipeline import relabel
from agenther.record import Json
from agenther.stages.parts import rule_parts
from agenther.testing import assistant, make_trajectory, tool, tool_schema, user
from agenther.testing.strategies import TEXT, json_objects, json_values, trajectories
from agenther.trajectory import Trajectory

CONFIG = Config(domains=(*DOMAINS_ON, *DOMAINS_OPTIONAL))


@settings(max_examples=60, deadline=None)
@given(trajectories())
def test_any_trajectory(run: Trajectory):
    result = asyncio.run(relabel(run.model_copy(update={"success": False}), rule_parts(CONFIG), CONFIG))
    assert bool(result.examples) != (result.drop is not None)


@pytest.mark.parametrize("name", ["cancel_order", "return_items", "exchange_items", "update_address", "find_harbours"])
@settings(max_examples=25, deadline=None)
@example(arguments={"[": None, "*(": "*("}, answer=[0], said="[")
@given(arguments=json_objects(), answer=json_values(), said=TEXT)
def test_any_arguments_and_answers(name: str, arguments: dict[str, object], answer: Json, said: str):
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    run = make_trajectory(
        user(f"Please {said}"),
        assistant("Shall I cancel, return, exchange or change it?"),
        user("Yes, please go ahead."),
        assistant("", call),
        tool(answer, "c"),
        assistant(f"The order has been changed, returned and cancelled. {said}"),
        user("Can you cancel another?"),
        tools=(tool_schema(name, "Find harbours of a country", country={}),),
    )
    result = asyncio.run(relabel(run, rule_parts(CONFIG), CONFIG))
    assert bool(result.examples) != (result.drop is not None)
