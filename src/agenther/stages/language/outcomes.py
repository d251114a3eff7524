"""Does an observation say that the call failed? Words and shapes that tools print, whatever the domain."""

from __future__ import annotations

import re
from functools import lru_cache

from agenther.stages.language.words import holds_any
from agenther.trajectory import Step

_HEAD_CHARS = 400
_ERROR = re.compile(
    r"""^(?!\s*\{?\s*"\w+"\s*:)\W*(?:error\b|exception\b|fatal\b|traceback\b|invalid\s(?:action|argument|input|command)|malformed\s
    |unknown\s(?:command|tool|function|action)|permission\ denied|access\ denied|unauthorized|forbidden|not\ found\b
    |nothing\ happens|timed?\ ?out|failed\s|failure\b|cannot\s|could\ not\s|unable\ to\s|syntax\ error)
    |\bTraceback\ \(most\ recent\ call\ last\)
    |^(?:/[\w/]+|\w+):\ (?:line\ \d+:\ )?[^\n]*(?:No\ such\ file|command\ not\ found|not\ found|[Ii]nvalid\ option
    |unrecognized\ option|[Pp]ermission\ denied|syntax\ error|cannot\ |missing\ )""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_ERROR_WORDS = (
    *"error exception fatal traceback invalid malformed unknown denied unauthorized forbidden fail cannot".split(),
    *("not found", "nothing happens", "timeout", "time out", "timed", "could not", "unable to", "no such file"),
    *("unrecognized", "missing"),
)
"""Texts without one of which no error is there: a look for them costs a tenth of the search."""
_JSON_ERROR = re.compile(
    r'^\s*\{\s*"(?:error|errors|error_message|err)"\s*:(?!\s*(?:null|""|\[\s*\]|\{\s*\}|false))', re.IGNORECASE
)


def is_error(text: str) -> bool:
    """Tell whether an observation opens by saying that the call failed. A wrapper key `error` may be empty."""
    return _opens_with_error(text[:_HEAD_CHARS])


@lru_cache(maxsize=1024)
def _opens_with_error(head: str) -> bool:
    if _JSON_ERROR.match(head):
        return True
    return (not head.isascii() or holds_any(head.lower(), _ERROR_WORDS)) and _ERROR.search(head) is not None


def failed(step: Step) -> bool:
    """Tell whether every observation of a step says that its call failed; False without observations."""
    return bool(step.observations) and all(is_error(o.content) for o in step.observations)
