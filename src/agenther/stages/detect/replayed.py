"""False failures that execution shows: a run marked as failed whose end state is that of the right calls."""

from __future__ import annotations

from agenther.conclusions import Detection, Outcome
from agenther.environments.base import NotAtHand
from agenther.errors import ParseError, ReplayError
from agenther.stages.protocols import Detector
from agenther.stages.verify.replay.check import EnvironmentOf
from agenther.stages.verify.replay.diff import same_state
from agenther.stages.verify.replay.perform import end_state
from agenther.stages.verify.replay.recorded import gold_calls, recorded_calls
from agenther.trajectory import Trajectory


class ReplayDetector:
    """Asks another detector, and replays what it calls a failure, where the right calls are known."""

    def __init__(self, detector: Detector, environment_of: EnvironmentOf) -> None:
        self._detector, self._environment_of = detector, environment_of

    async def detect(self, trajectory: Trajectory) -> Detection:
        """Judge one run."""
        detection = await self._detector.detect(trajectory)
        if detection.outcome is not Outcome.FAILED or detection.false_failure or detection.infrastructure:
            return detection
        if not self._ends_right(trajectory):
            return detection
        return Detection(
            outcome=detection.outcome,
            false_failure=True,
            explanation="replayed: the run ends in the state in which the recorded right calls end",
            by=detection.by,
        )

    def _ends_right(self, run: Trajectory) -> bool:
        """Tell whether the run and the right calls reach one state, another one than doing nothing does."""
        gold = gold_calls(run)
        found = self._environment_of(run) if gold else None
        if not gold or found is None or isinstance(found, NotAtHand):
            return False
        setting, make = found
        try:
            right = end_state(make, setting, gold)
            if same_state(right, end_state(make, setting, ())):
                return False
            return same_state(right, end_state(make, setting, recorded_calls(run.agent_steps)))
        except (ReplayError, ParseError):
            return False
