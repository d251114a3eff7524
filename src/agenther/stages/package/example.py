"""Make the Example of an accepted run, and of a successful one."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from agenther.conclusions import Detection, Example, Proposal, Rewritten, Score, Verdict
from agenther.config import Config
from agenther.messages import to_messages
from agenther.record import JsonObject, content_key
from agenther.stages.recording import shared_steps, without_retried_thoughts
from agenther.trajectory import Step, Trajectory
from agenther.versions import versions


def make_example(
    rewritten: Rewritten, detection: Detection, verdict: Verdict, config: Config, panel: str | None = None
) -> Example:
    """Render an accepted run as a training example. Its id depends on content alone.

    Args:
        rewritten: what was accepted.
        detection: how the run failed its own goal.
        verdict: who accepted it.
        config: settings.
        panel: the kind of panel that models made; None where no model had a voice.
    """
    trajectory, proposal = rewritten.trajectory, rewritten.proposal
    return Example(
        id=content_key([trajectory.key, proposal.goal, proposal.last_step])[:16],
        trajectory_id=trajectory.id,
        task_id=trajectory.task_id,
        origin="hindsight",
        source=trajectory.source,
        desired_goal=trajectory.goal,
        hindsight_goal=proposal.goal,
        strategy=proposal.strategy,
        domain=proposal.domain,
        detection=detection,
        claims=tuple(claim.model_copy(update={"data": {}}) for claim in proposal.claims),
        verdict=verdict,
        weight=detection.weight,
        messages=tuple(to_messages(rewritten.steps, with_step=True)),
        tools=tools_json(trajectory),
        train_on=rewritten.train_on,
        repairs=rewritten.repairs,
        provenance=provenance(config) | _voices(proposal, panel),
        answers=proposal.answers,
    )


def _voices(proposal: Proposal, panel: str | None) -> JsonObject:
    """Say which models stand behind an example; nothing where none does."""
    if panel is None:
        return {}
    return {"panel": panel, "proposed_by": proposal.by, "synthesized": proposal.synthesized is not None}


def make_success(trajectory: Trajectory, detection: Detection, config: Config) -> Example:
    """Render a successful run as it is, its own goal in both places.

    All agent turns carry loss but those that an earlier run has too.
    """
    kept = up_to_last_agent_turn(without_retried_thoughts(trajectory))
    elsewhere = shared_steps(trajectory)
    label = Score(by=trajectory.label_source or "label", value=1.0, explanation="recorded as successful")
    return Example(
        id=content_key([trajectory.key, "success"])[:16],
        trajectory_id=trajectory.id,
        task_id=trajectory.task_id,
        origin="success",
        source=trajectory.source,
        desired_goal=trajectory.goal,
        hindsight_goal=trajectory.goal,
        strategy="final",
        domain="",
        detection=detection,
        claims=(),
        verdict=Verdict(accepted=True, support=1.0, scores=(label,)),
        weight=1.0,
        messages=tuple(to_messages(kept, with_step=True)),
        tools=tools_json(trajectory),
        train_on=tuple(s.step_id for s in kept if s.source == "agent" and s.step_id not in elsewhere),
        repairs=(),
        provenance=provenance(config),
    )


def up_to_last_agent_turn(steps: Sequence[Step]) -> list[Step]:
    """Return the steps up to the agent's last one, which loses what came back after it; none when the agent never spoke."""
    last = next((i for i in range(len(steps) - 1, -1, -1) if steps[i].source == "agent"), None)
    return [] if last is None else [*steps[:last], steps[last].model_copy(update={"observations": ()})]


def tools_json(trajectory: Trajectory) -> str:
    """Return the tool schemas as one JSON string: the only form that is safe in every loader."""
    return orjson.dumps(trajectory.tools).decode()


def provenance(config: Config) -> JsonObject:
    """Say which code and settings made an example."""
    return {"versions": versions(), "config_key": config.per_run_key[:16]}
