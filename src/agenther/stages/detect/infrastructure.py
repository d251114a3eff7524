"""Failures of the infrastructure: the model's provider, the browser, the sandbox or the harness broke, not the agent.

A harness that cuts a run off at its own limit (`truncated`) is counted with them; a number of turns that belongs to the task
(`turns_max`) is not. Only what ended the run counts: a label, or the last output. What the agent got over is its own affair,
and a tool that refuses a bad argument is the agent's error, not the environment's.
"""

from __future__ import annotations

import re

from agenther.trajectory import Span, Trajectory

_BROKEN = re.compile(
    r"""
      # the provider of the model
        \bopenai\.(?:error|\w*Error)\b | \banthropic\.\w*Error\b | \blitellm\.\w*Error\b
     
      | \b(?:RateLimit|APIConnection|APITimeout|ServiceUnavailable|InternalServer|InsufficientQuota|ContextWindowExceeded)Error\b
     
      | \brate[ _]limit(?:[ _]exceeded|\ reached|ed\b)
      | \b429\b.{0,20}too\ many\ requests
      | too\ many\ requests.{0,20}\b429\b
      | \binsufficient_quota\b
     
      | \bcontext_length_exceeded\b
      | \bmaximum\ context\ length\b
      | \bprompt\ is\ too\ long\b
      | \bexceed\w*\ (?:the\ )?context\ (?:window|length|limit)\b
      | \boverloaded_error\b | \b50[234]\b.{0,6}(?:bad\ gateway|service\ unavailable|gateway\ time-?out)
      # the browser
     
      | \b(?:target|page|browser|tab|context)\b.{0,30}\b(?:has\ been\ closed|crashed|disconnected)\b
      | \bchrome\ not\ reachable\b
     
      | \bnet::ERR_(?:CONNECTION|TIMED_OUT|NAME_NOT|INTERNET|PROXY|TUNNEL)\w*
      | \bWebDriverException\b
      | \bplaywright\._impl\b.{0,40}TimeoutError
      # the sandbox and its services
     
      | \b(?:environment|sandbox|container|kernel|runtime|simulator|server|vm)\b.{0,20}\b(?:timed\ out|crashed|died|was\ killed
        |is\ not\ running|not\ responding|disconnected)\b
     
      | \b(?:Environment|Agent|Sandbox|Verifier)\w*TimeoutError\b
      | \bCannot\ connect\ to\ the\ Docker\ daemon\b
      | \bno\ space\ left\ on\ device\b
     
      | \bMySQL\ server\ has\ gone\ away\b
      | \blost\ connection\ to\ (?:MySQL|the\ )?\s?server\b
      | \bCan't\ connect\ to\ (?:local\ )?MySQL\ server\b
      | \bOut\ of\ memory:\ Killed\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LABELS = ("error", "exception", "exception_info", "exit_status", "terminate_reason")
_HARNESS = "harness_error"
"""What a harness says of a run that it broke off itself: whatever it says, the agent did not do it."""
_CUT_OFF = "truncated"
"""True where the harness ended the run at its own limit, as Gymnasium says it: what the agent would have done is not known."""
_MOST_TOLD = 100
_LONGEST = 3000
"""An output longer than this is a page or a file that may well speak of such errors."""


def broken_infrastructure(trajectory: Trajectory) -> tuple[str, tuple[Span, ...]] | None:
    """Return what broke and where the run shows it; None when nothing did."""
    if isinstance(told := trajectory.labels.get(_HARNESS), str):
        return f"{_HARNESS}: {' '.join(told.split())[:_MOST_TOLD]}", ()
    if trajectory.labels.get(_CUT_OFF) is True:
        return f"{_CUT_OFF}: the harness cut the run off at its limit", ()
    for name in _LABELS:
        value = trajectory.labels.get(name)
        if isinstance(value, str) and (match := _BROKEN.search(value)) is not None:
            return f"{name}: {' '.join(match.group().split())}", ()
    steps = trajectory.agent_steps
    last = steps[-1] if steps else None
    if last is None or not last.observations:
        return None
    content = last.observations[-1].content
    if len(content) > _LONGEST or (match := _BROKEN.search(content)) is None:
        return None
    field = f"observations[{len(last.observations) - 1}].content"
    span = Span(step=last.step_id, field=field, start=match.start(), end=match.end())
    return f"the last output: {' '.join(match.group().split())}", (span,)
