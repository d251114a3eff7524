"""What is asked of a model and what comes back, and the protocol of whoever answers.

Clients are composed by wrapping: cached(metered(limited(transport))). None of them knows what is asked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, Protocol

from pydantic import Field

from agenther.record import JsonObject, Record


class AskedBy(StrEnum):
    """The stage on whose account a request goes."""

    DETECT = "detect"
    EXTRACT = "extract"
    PROPOSE = "propose"
    JUDGE = "judge"


class Message(Record):
    """One message of a request."""

    role: Literal["system", "user", "assistant"]
    content: str


class AnswerForm(Record):
    """The structure that an answer must have."""

    name: str = Field(description="name of the schema, letters, digits and _")
    json_schema: JsonObject


class Request(Record):
    """One request. Its `key` holds all that the model sees and nothing else: equal keys may share an answer."""

    where_found: ClassVar[frozenset[str]] = frozenset({"asked_by"})

    model: str = Field(description="name under which the job knows the model")
    messages: tuple[Message, ...]
    temperature: float = Field(ge=0)
    max_tokens: int = Field(ge=1, description="most tokens of the answer")
    form: AnswerForm | None = Field(default=None, description="None: free text")
    asked_by: AskedBy = Field(description="for the ledger; no part of the key")


class Usage(Record):
    """Tokens of one answer, as the server counts them; 0 where it does not say."""

    prompt_tokens: int = 0
    cached_tokens: int = Field(
        default=0, description="of the prompt tokens, those the provider had in its prefix cache"
    )
    completion_tokens: int = 0


class Response(Record):
    """One answer."""

    text: str
    finish: str = Field(default="stop", description="`stop`, or why the answer ends early: `length`, `content_filter`")
    usage: Usage = Usage()
    model: str = Field(default="", description="what the server says it is")


class Client(Protocol):
    """Whoever answers requests."""

    async def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ProviderError: the provider failed after all retries: the run may be tried again.
            ProviderRefused: it will answer nothing of this job.
            Postponed: the answer must wait (budget spent, batch not back).
        """
        ...

    async def close(self) -> None:
        """Give back connections and files."""
        ...
