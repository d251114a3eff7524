"""The body of a request as OpenAI-compatible servers take it, and what their answers say: by wire and in batch files alike."""

from __future__ import annotations

from agenther.errors import ParseError
from agenther.llm.base import Request, Response, Usage
from agenther.llm.models import Model
from agenther.record import Json, JsonObject
from agenther.texts import whole_text

PATH = "/chat/completions"
"""Where completions are asked for, below a model's endpoint."""
_CHOSEN_ENDS = frozenset({"eos", "eos_token", "end_turn", "stop_sequence"})
SHOWN = 200
"""Most characters of a server's own words in an error."""
MOST_TOKENS = 10**9
"""A server that counts more in one request has not counted: sums of such figures would have no room where they are kept."""


def request_body(request: Request, model: Model) -> JsonObject:
    """Return what is posted, or stands as `body` in a line of a batch file."""
    body: JsonObject = {
        "model": model.served_as,
        "messages": [{"role": m.role, "content": whole_text(m.content)} for m in request.messages],
        model.length_field: request.max_tokens,
    }
    if model.temperature:
        body["temperature"] = request.temperature
    if request.form is not None and model.json_schema:
        schema: JsonObject = {"name": request.form.name, "schema": request.form.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def read_completion(body: Json) -> Response:
    """Return the answer that a server's body holds.

    A refusal that the server keeps apart is an answer that ends by `content_filter`. Counts that are none are 0.

    Raises:
        ParseError: it holds no completion.
    """
    choices = _member(body, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = _member(choice, "message")
    if not isinstance(message, dict):
        raise ParseError(f"expected a chat completion, found {error_text(body)}")
    text, refusal, finish = (
        _text(message.get("content")),
        _text(message.get("refusal")),
        _member(choice, "finish_reason"),
    )
    return Response(
        text=text or refusal,
        finish="content_filter" if refusal and not text else _finish(finish),
        usage=_usage(_member(body, "usage")),
        model=_text(_member(body, "model")),
    )


def error_text(body: Json) -> str:
    """Return what a body that is no completion says, on one line and shortened."""
    error = _member(body, "error")
    for place in (error, body):
        for name in ("message", "detail", "error"):
            if isinstance(said := _member(place, name), str) and said.strip():
                return shorten(said)
    if isinstance(error, str) and error.strip():
        return shorten(error)
    try:
        return shorten(str(body)) if body not in ("", None) else "nothing"
    except RecursionError:
        return "JSON nested too deeply"


def error_code(body: Json) -> str:
    """Return the codes that an error has beside its words, joined."""
    error = _member(body, "error")
    return " ".join(value for name in ("code", "type") if isinstance(value := _member(error, name), str))


def shorten(text: str) -> str:
    """Put a text on one line of at most `SHOWN` characters."""
    line = " ".join(text[: 4 * SHOWN].split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def _finish(said: Json) -> str:
    """Return why an answer ends, in OpenAI's words where a server has its own for an end that the model chose."""
    return said if isinstance(said, str) and said and said not in _CHOSEN_ENDS else "stop"


def _usage(usage: Json) -> Usage:
    prompt = _count(_member(usage, "prompt_tokens"))
    cached = _count(_member(_member(usage, "prompt_tokens_details"), "cached_tokens"))
    return Usage(
        prompt_tokens=prompt,
        cached_tokens=min(cached, prompt),
        completion_tokens=_count(_member(usage, "completion_tokens")),
    )


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _count(value: Json) -> int:
    return int(value) if isinstance(value, int) and 0 <= value <= MOST_TOKENS else 0


def _text(content: Json) -> str:
    """Return a text, or the texts of its parts joined."""
    if isinstance(content, list):
        return "".join(_text(_member(part, "text")) for part in content)
    return content if isinstance(content, str) else ""
