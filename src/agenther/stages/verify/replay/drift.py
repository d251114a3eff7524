"""How what came back this time differs from what the run recorded.

Logs write observations down as text: JSON, Python literals, plain words. Those that say the same are equal. Where redaction took
something out of a record, what came back is compared without secrets and personal data too.
"""

from __future__ import annotations

import re

from agenther.literals import literal_value
from agenther.record import Json, canonical_json
from agenther.stages.redact import map_texts, redact_text

_PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]*)_\d+>")
_SHOWN = 80


def drift_between(recorded: str | None, replayed: Json) -> str | None:
    """Return how a replayed observation differs from the recorded one; None when it does not, or nothing was recorded."""
    if recorded is None:
        return None
    if _PLACEHOLDER.search(recorded):
        recorded, replayed = _PLACEHOLDER.sub(r"<\1>", recorded), map_texts(replayed, _redacted)
    if isinstance(replayed, str) and _plain(recorded) == _plain(replayed):
        return None
    now = literal_value(replayed) if isinstance(replayed, str) else replayed
    then = literal_value(recorded)
    if not (now is None and then is None) and _same(then, now):
        return None
    if not isinstance(replayed, str) and replayed is None and recorded.strip() in ("", "None", "null"):
        return None
    return f"recorded {_shown(recorded)}, now {_shown(as_text(replayed))}"


def as_text(observation: Json) -> str:
    """Return an observation as text: itself, or its JSON."""
    return observation if isinstance(observation, str) else canonical_json(observation).decode()


def _redacted(text: str) -> str:
    return _PLACEHOLDER.sub(r"<\1>", redact_text(text))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _same(a: Json, b: Json) -> bool:
    """Compare values as JSON means them: 2 and 2.0 are one number, true is none."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, str) and isinstance(b, str):
        return _plain(a) == _plain(b)
    return a is None and b is None


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")
