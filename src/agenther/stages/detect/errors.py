"""Which outputs are errors: of a tool, a shell, a database, a program, or the harness refusing an action.

Judges the shape of an output, never words inside data: a page about error handling is no error.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import cast

from agenther.record import Json, JsonObject
from agenther.stages.language.words import holds_any

_LABEL = re.compile(r"\s*(?:observation(?: \d+)?|output|result|stderr)\s*:\s*", re.IGNORECASE)
_OPENING = re.compile(
    r"""\W{0,3}(?:
        (?:\w+[ .])?(?:error|exception|failure)s?(?:\s*[:!(\[]|\s*$|\s+(?:\d|code|executing|
          while|in\b|at\b|from|occurred|during|running|calling))
      | [A-Za-z_.]*(?:Error|Exception)\s*[:(]
      | (?:fatal|failed|unable|cannot|could\ not)\b(?:\s*:|\s+(?:to|execute|run|find|open|parse))
      | (?:invalid|malformed|unknown|unrecogni[sz]ed|unsupported)\s+(?:\w+\s)?(?:action|command|tool|function|input|argument
          |parameter|request|syntax|query|option)s?\b
      | (?:no\ such|non-?existent)\s+(?:tool|function|file|action|command)
      | syntax\s?error | (?:command|execution|query|request|operation|action)\s+(?:has\s+)?(?:timed\s?out|failed)
      | (?:permission|access)\s+denied | nothing\ happen(?:s|ed)
      | no\ \w+\ (?:code|action|command)\ (?:was\ )?(?:found|given|provided)
      | i\ don't\ understand\ your\ input | exit\s?(?:code|status):?\s+[1-9]\d*\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\)|^[^\S\n]*File \"<[^\n]*\n[^\n]*\n[^\S\n]*\^|^[\w.]*(?:Error|Exception): ",
    re.MULTILINE,
)
_TRACEBACK_WORDS = ("Traceback (", 'File "<', "Error: ", "Exception: ")
"""Texts without one of which there is no traceback: a look for them costs a tenth of the search."""
_SHELL_LINE = re.compile(
    r"""(?:[a-z./\[][\w./\[+-]*(?:\ \([^)]*\))?:\ (?:-c:\ )?(?:line\ \d+:\ )?(?:.*:\ )?(?:
        No\ such\ file | (?:command\ )?not\ found | Permission\ denied | (?:Operation\ )?not\ permitted | syntax\ error
      | unexpected | cannot\  | can't\  | invalid\  | illegal\  | missing\  | unrecogni[sz]ed | unknown\  | extra\ operand
      | Is\ a\ directory | Not\ a\ directory | File\ exists | failed | error | ambiguous | bad\  | does\ not\ exist
      | unterminated | unsupported | requires | no\ changes | Cannot\  | Unknown\  | Illegal\  | Invalid\  | Syntax\ error
      | you\ must | with\ --\w+ | terminated\ by | must\ | paths\ must | warning: 
      | Removing\ leading | Error\ is | Child\ returned | Cannot\ open | possible\ unquoted | option\ | \d+:\  )
      | Try\ .*--help | (?:Usage|usage):\ | (?:awk|sed|find|grep|tar):\ .*)""",
    re.VERBOSE,
)
_SHELL_SYNTAX = re.compile(r".*: (?:-c: )?line \d+: (?:syntax error|unexpected EOF)")
"""A shell that could not parse its command; it names itself by a scrap of that command, and may repeat the rest."""
_SHELL_WORDS = (": ", "--help")
"""Texts without one of which a line is no error of a shell."""
_HINT = re.compile(r"You have \d+ steps? left.*|You should take the last step.*|\s*\^.*", re.IGNORECASE)
_ERROR_KEYS = ("error", "errors", "error_message", "exception", "isError", "is_error")
_MOST_SHELL_LINES = 60
_LONGEST_JSON_ERROR = 4000
_JSON_WORDS = ("rror", "exception", "success", "status", "\\u")
"""Parts of every key by which a JSON answer says that it failed, and the escape that may spell them otherwise."""


def error_at(text: str) -> tuple[int, int] | None:
    """Return the bounds of the error in which an output ends; None when it ends otherwise."""
    label = _LABEL.match(text)
    start = label.end() if label else len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if start >= end:
        return None
    body = text[start:end]
    if _OPENING.match(body) or _is_json_error(body) or _is_shell_error(body):
        return start, end
    trace = _TRACEBACK.search(text, start) if holds_any(text, _TRACEBACK_WORDS) else None
    return (trace.start(), end) if trace else None


def is_only_error(text: str, error: tuple[int, int]) -> bool:
    """Tell whether an output holds nothing beside the error whose bounds are given."""
    label = _LABEL.match(text)
    return not text[label.end() if label else 0 : error[0]].strip()


def _is_shell_error(text: str) -> bool:
    may_be_one = _SHELL_LINE.match(text) or "line " in text or _HINT.match(text)
    if not (may_be_one and holds_any(text, _SHELL_WORDS)):
        return False
    lines = (line for line in text.splitlines() if line.strip() and not _HINT.fullmatch(line))
    first = next(lines, None)
    if first is None:
        return False
    if "line " in first and _SHELL_SYNTAX.match(first):
        return True
    return all(n < _MOST_SHELL_LINES and _SHELL_LINE.match(line) for n, line in enumerate(chain((first,), lines)))


def _is_json_error(text: str) -> bool:
    """Tell a JSON answer that says it failed and holds nothing else. A wrapper key `error` may be empty."""
    if text[:1] != "{" or len(text) > _LONGEST_JSON_ERROR or not holds_any(text, _JSON_WORDS):
        return False
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    body = cast(JsonObject, value)
    said = [key for key in _ERROR_KEYS if body.get(key)]
    if not said and (body.get("success") is False or body.get("status") in ("error", "failed", "failure")):
        said = ["status"]
    rest = [v for k, v in body.items() if k not in (*_ERROR_KEYS, "status", "success", "code", "message", "detail")]
    return bool(said) and all(not v or isinstance(v, int | float) for v in rest)
