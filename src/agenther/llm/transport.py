"""Requests over HTTP to OpenAI-compatible servers: one try each. Trying again belongs to `limits`.

A key goes in the header of its own model's requests and nowhere else: redirects are not followed, errors show no header.
"""

from __future__ import annotations

import email.utils
import math
import time
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

from agenther.errors import ConfigError, MissingExtra, ParseError, ProviderError, ProviderRefused
from agenther.llm.base import Request, Response
from agenther.llm.body import PATH, error_code, error_text, read_completion, request_body, shorten
from agenther.llm.failures import Busy, Failure, TimedOut, Unreachable
from agenther.llm.models import Model
from agenther.readers.json_text import parse
from agenther.record import Json
from agenther.texts import split_url

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 30.0
MOST_BYTES = 4 << 20
"""Bytes of an answer that are read: a longer one is no completion, and would fill the memory."""
_SHORTEST_SECRET = 8
"""Characters of a key. Shorter ones (`x`, `EMPTY`) are stand-ins for servers that want none, and also words of answers."""
_NO_CREDIT = ("insufficient_quota", "billing", "credit balance")
_TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
)
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_LATER = frozenset({408, 409, 425})
"""Client errors that pass."""
_REFUSED = frozenset({401, 402, 403, 404, 405})
"""What no other request of this job would be spared."""


class HttpTransport:
    """A client that posts each request once, to the endpoint of its model. One session serves all; use it in one event loop."""

    def __init__(self, models: Mapping[str, Model], timeout_s: float = 600.0) -> None:
        """Take the models that requests name.

        Args:
            models: by the names that requests use.
            timeout_s: most seconds that an answer may take, the whole of it.

        Raises:
            ConfigError: an endpoint is no URL, holds a password, or its key cannot stand in a header.
        """
        self._routes = {name: _Route(model) for name, model in models.items()}
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, request: Request) -> Response:
        """Post one request and read its answer.

        Raises:
            Failure: another try may succeed; `Busy` when the server wants fewer of them.
            ProviderRefused: it will answer nothing of this job: wrong key, unknown model, no credit.
            ProviderError: it will not answer this request, such as one longer than the model's context.
        """
        route = self._routes[request.model]
        session = self._session or self._open()
        body = orjson.dumps(request_body(request, route.model))
        status, headers, raw = await self._post(session, route, body)
        raw = route.without_key(raw)
        try:
            read = parse(raw)
        except orjson.JSONDecodeError:
            read = raw.decode("utf-8", "replace")
        if status == 200:
            try:
                return read_completion(read)
            except ParseError as error:
                raise Failure(f"{route.name}: {error}") from error
        raise _failure(route, status, headers, read)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        try:
            import aiohttp
        except ImportError as error:
            raise MissingExtra("asking a model needs aiohttp", "pip install 'agenther[llm]'") from error
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    async def _post(
        self, session: aiohttp.ClientSession, route: _Route, body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        try:
            async with session.post(
                route.url, data=body, headers=route.headers, proxy=route.proxy, allow_redirects=False
            ) as response:
                raw = bytearray()
                async for piece in response.content.iter_any():
                    raw += piece
                    if len(raw) > MOST_BYTES:
                        raise Failure(f"{route.name}: expected a chat completion, found more than {MOST_BYTES} bytes")
                return response.status, response.headers, bytes(raw)
        except aiohttp.ClientConnectorCertificateError as error:
            raise ProviderRefused(
                f"{route.name}: expected a certificate that this machine trusts, found {shorten(str(error))}",
                "give SSL_CERT_FILE the authority that signs it",
            ) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(f"{route.name}: no connection within {CONNECT_TIMEOUT_S:g} s") from error
        except TimeoutError as error:
            raise TimedOut(f"{route.name}: no answer within {self._timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            said = shorten(route.without_key(str(error).encode("utf-8", "replace")).decode())
            raise Unreachable(f"{route.name}: {said or type(error).__name__}") from None


class _Route:
    """Where a model's requests go and what goes with them."""

    def __init__(self, model: Model) -> None:
        parts = split_url(model.endpoint)
        try:
            host = parts.hostname if parts.port != 0 else None
        except ValueError:
            host = None
        if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query:
            raise ConfigError(
                f"model {model.name} endpoint: expected http://host:port/v1 without password and query",
                "name the variable that holds the key as key_env, in a file for --models",
            )
        self.model = model
        self.url = model.endpoint + PATH
        self.name = f"{model.name} at {parts.netloc}"
        self.headers = {"Content-Type": "application/json", "User-Agent": "agenther"}
        self.key = (model.api_key or "").strip()
        if self.key:
            if not (self.key.isascii() and self.key.isprintable()):
                raise ConfigError(f"{model.key_env}: expected a key of printable ASCII characters")
            self.headers["Authorization"] = f"Bearer {self.key}"
        direct = host in _HERE or urllib.request.proxy_bypass(host)
        self.proxy = None if direct else urllib.request.getproxies().get(parts.scheme)

    def without_key(self, said: bytes) -> bytes:
        """Return what a server said without the key, which it may have sent back."""
        return said.replace(self.key.encode(), b"[key]") if len(self.key) >= _SHORTEST_SECRET else said


def _failure(route: _Route, status: int, headers: Mapping[str, str], body: Json) -> ProviderError | ProviderRefused:
    """Return what an answer without a completion means."""
    said, code = error_text(body), error_code(body)
    low = f"{code} {said}".lower()
    message = f"{route.name}: {status} {said}"
    if 300 <= status < 400:
        return ProviderRefused(f"{route.name}: {status}, a redirect", "redirects are not followed: name where it leads")
    if status in _REFUSED or (status == 429 and any(words in low for words in _NO_CREDIT)):
        return ProviderRefused(message, _hint(route, status))
    if status in (429, 529) or (status == 503 and "retry-after" in headers):
        return Busy(message, _retry_after_s(headers))
    if status in _LATER or status >= 500:
        return Failure(message, _retry_after_s(headers))
    if any(words in low for words in _TOO_LONG):
        return ProviderError(f"{route.name}: longer than the model's context length: {said}")
    return ProviderError(message)


def _hint(route: _Route, status: int) -> str:
    if status in (404, 405):
        return f"no model {route.model.served_as} there, or no {PATH} below {route.model.endpoint}"
    if status in (402, 429):
        return "the account has no credit left"
    return f"the key is taken from {route.model.key_env or 'nowhere'}" + ("" if route.key else ", which is not set")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server wants to be left alone, None when it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        given = headers.get(name, "").strip()
        try:
            seconds = float(given) * unit
        except ValueError:
            continue
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        return max(email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
