"""A client that answers from a script and remembers what it was asked: the only fake inside a process.

Servers that misbehave belong to `mock_server`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import orjson

from agenther.llm.base import Request, Response, Usage
from agenther.record import JsonObject
from agenther.testing.shown import find_canary

Answer = str | JsonObject | Response | Exception
"""A text, an object that is written as JSON, a whole response, or what is raised."""


class ScriptedClient:
    """Answers requests in turn from a list, or each by a function of it.

    An object gets the canary that its request demands unless it holds one; an exception is raised.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[Request], Answer], usage: Usage | None = None) -> None:
        """Take the script.

        Args:
            answers: one for each request, or a function that makes them.
            usage: the tokens that every answer is said to have cost.
        """
        self._answer = answers if callable(answers) else _in_turn(iter(answers))
        self._usage = usage or Usage(prompt_tokens=100, completion_tokens=10)
        self.requests: list[Request] = []
        """What was asked, in order."""
        self.closed = False
        """Whether `close` was called."""

    async def complete(self, request: Request) -> Response:
        """Answer one request."""
        self.requests.append(request)
        match self._answer(request):
            case Response() as response:
                return response
            case Exception() as error:
                raise error
            case str(text):
                return self._response(request, text)
            case given:
                answer = {"canary": find_canary([m.content for m in request.messages]) or "", **given}
                return self._response(request, orjson.dumps(answer).decode())

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _response(self, request: Request, text: str) -> Response:
        return Response(text=text, usage=self._usage, model=request.model)


def _in_turn(answers: Iterator[Answer]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        try:
            return next(answers)
        except StopIteration:
            raise AssertionError(f"the script has no answer left for the request of {request.asked_by}") from None

    return answer
