"""Run folders of an invented harbour office's site, as AgentLab writes them."""

import gzip
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

GOAL = "Reserve berth 7 for the boat Puffin from Monday"
SITE = "http://harbour.example"
NAME = "2031-05-06_07-08-09_GullAgent-small_on_harbour.berths.3_42"


@dataclass
class StepInfo:
    step: int
    obs: Any
    action: Any = None
    agent_info: Any = field(default_factory=dict[str, Any])
    reward: float = 0


@dataclass
class AgentInfo:
    think: str | None = None
    chat_messages: Any = None


class Message(dict[str, Any]):
    pass


@dataclass
class Arguments:
    agent_args: Any
    env_args: Any


class Array:
    """Pickles as an array of one whole number does."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        return Array, (), (1, (1,), "<i8", False, self.number.to_bytes(8, "little"))


def page(path: str, title: str, tree: str, **more: Any) -> dict[str, Any]:
    """Return an observation of one tab."""
    chat = (Message(role="assistant", message="Ahoy."), Message(role="user", message=GOAL))
    return {
        "goal": GOAL,
        "goal_object": None,
        "chat_messages": chat,
        "url": SITE + path,
        "open_pages_urls": (SITE + path,),
        "open_pages_titles": (title,),
        "active_page_index": Array(),
        "last_action_error": "",
        "axtree_txt": tree,
        **more,
    }


HOME = page("/", "Harbour office", "[3] link 'Berths'")
BERTHS = page("/berths", "Berths", "[5] button 'Reserve berth 7'\n[6] button 'Reserve berth 9'")
DONE = page("/done", "Reserved", "StaticText 'Berth 9 is yours'")


def usual_steps() -> list[StepInfo]:
    """Return a run that reserves another berth than it should."""
    return [
        StepInfo(0, HOME, "click('3')", AgentInfo("First the list of berths.", [Message(role="user", content="...")])),
        StepInfo(1, BERTHS, "click('6')", AgentInfo("There it is.")),
        StepInfo(2, DONE, None, {}),
    ]


def summary(**more: Any) -> dict[str, Any]:
    """Return the summary of a run that ended without success."""
    usual: dict[str, Any] = {"n_steps": 2, "cum_reward": 0.0, "err_msg": None, "terminated": True, "truncated": False}
    return usual | more


def write_run(
    root: Path,
    steps: list[StepInfo],
    ended: dict[str, Any] | None,
    name: str = NAME,
    goal: Any = None,
    protocol: int = 4,
) -> Path:
    """Write a run folder and return its entry file."""
    folder = root / name
    folder.mkdir(parents=True)
    for step in steps:
        write_pickle(folder / f"step_{step.step}.pkl.gz", step, protocol)
    parts = goal if goal is not None else ({"type": "text", "text": GOAL},)
    write_pickle(folder / "goal_object.pkl.gz", parts, protocol)
    arguments = Arguments(
        {"agent_name": "GullAgent-small"}, {"task_name": "harbour.berths.3", "task_seed": 42, "max_steps": 10}
    )
    (folder / "exp_args.pkl").write_bytes(pickle.dumps(arguments, protocol))
    for other in ("experiment.log", "package_versions.txt", "screenshot_step_0.png"):
        (folder / other).write_text("browsergym.experiments.loop - INFO - \naction:\n")
    if ended is None:
        return folder / "step_0.pkl.gz"
    (folder / "summary_info.json").write_bytes(orjson.dumps(ended))
    return folder / "summary_info.json"


def write_pickle(path: Path, value: object, protocol: int = 4) -> None:
    """Write a compressed pickle."""
    with gzip.open(path, "wb") as file:
        pickle.dump(value, file, protocol)
