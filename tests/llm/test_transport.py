from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.llm.serving import Answer, answering, completion, make_model, make_request, serve, silence

from agenther.errors import ConfigError, ProviderError, ProviderRefused
from agenther.llm.base import Response
from agenther.llm.failures import Busy, Failure, TimedOut, Unreachable
from agenther.llm.transport import MOST_BYTES, HttpTransport

KEY = "sk-0123456789"


async def ask(answer: Answer, timeout_s: float = 10, **facts: object) -> Response:
    async with serve(answer) as endpoint:
        transport = HttpTransport({"small": make_model(endpoint, **facts)}, timeout_s)
        try:
            return await transport.complete(make_request())
        finally:
            await transport.close()


def failing(answer: Answer, **more: Any) -> ProviderError | ProviderRefused:
    with pytest.raises((ProviderError, ProviderRefused)) as caught:
        asyncio.run(ask(answer, **more))
    return caught.value


def test_one_request_goes_out_and_its_answer_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_KEY", KEY + "\n")
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((await request.json(), request.headers.get("Authorization"), request.headers["User-Agent"]))
        return web.json_response(completion("yes", 20, 16, 3))

    response = asyncio.run(ask(answer, key_env="SMALL_KEY"))
    assert (response.text, response.usage.prompt_tokens, response.usage.cached_tokens) == ("yes", 20, 16)
    ((body, authorization, agent),) = seen
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("small-1", 50, 0)
    assert (authorization, agent) == (f"Bearer {KEY}", "agenther")


def test_no_key_goes_to_a_model_that_needs_none() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(completion("sent" if "Authorization" in request.headers else "none"))

    assert asyncio.run(ask(answer)).text == "none"


@pytest.mark.parametrize(("status", "kind"), [(429, Busy), (529, Busy), (503, Failure), (500, Failure), (408, Failure)])
def test_what_passes_may_be_tried_again(status: int, kind: type[Failure]) -> None:
    error = failing(answering({"error": {"message": "later"}}, status))
    assert type(error) is kind
    assert f"{status} later" in str(error)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 307])
def test_what_no_request_would_be_spared(status: int) -> None:
    error = failing(answering({"error": {"message": "no"}}, status, {"Location": "http://127.0.0.1:9/"}))
    assert isinstance(error, ProviderRefused)
    assert str(status) in error.message


def test_an_account_without_credit_will_not_recover() -> None:
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    assert isinstance(failing(answering(body, 429)), ProviderRefused)


def test_a_request_that_is_too_long_says_so_and_is_no_failure_of_the_server() -> None:
    body = {"error": {"message": "maximum context length is 4096 tokens", "code": "context_length_exceeded"}}
    error = failing(answering(body, 400))
    assert "longer than the model's context length" in str(error)
    assert not isinstance(error, Failure)
    assert not isinstance(failing(answering({"message": "bad schema"}, 422)), Failure)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "9", "Retry-After-Ms": "250"}, 0.25),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({}, None),
    ],
)
def test_when_the_server_wants_to_be_asked_again(headers: dict[str, str], seconds: float | None) -> None:
    error = failing(answering({}, 429, headers))
    assert isinstance(error, Busy)
    assert error.retry_after_s == seconds


def test_a_server_that_names_a_time_wants_fewer_requests() -> None:
    assert isinstance(failing(answering({}, 503, {"Retry-After": "2"})), Busy)


def test_no_answer_in_time() -> None:
    error = failing(silence, timeout_s=0.1)
    assert isinstance(error, TimedOut)
    assert "no answer within 0.1 s" in str(error)


async def broken_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def words(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>welcome</html>")


@pytest.mark.parametrize("answer", [words, answering({"choices": []}), answering({"error": "later"})])
def test_what_is_no_answer(answer: Answer) -> None:
    assert type(failing(answer)) is Failure


@pytest.mark.parametrize("answer", [broken_off, half])
def test_what_breaks_off(answer: Answer) -> None:
    assert isinstance(failing(answer), Unreachable)


def test_nobody_listens() -> None:
    async def run() -> None:
        transport = HttpTransport({"small": make_model("http://127.0.0.1:9/v1")})
        try:
            await transport.complete(make_request())
        finally:
            await transport.close()

    with pytest.raises(Unreachable, match=r"small at 127\.0\.0\.1:9"):
        asyncio.run(run())


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_error_shows_the_key(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_KEY", KEY)
    error = failing(answering({"error": {"message": "x" * 195 + KEY}}, status), key_env="SMALL_KEY")
    assert "sk-0" not in str(error)
    assert "xxx" in str(error)


def test_no_error_of_the_protocol_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (given,) = (line for line in head.split(b"\r\n") if line.startswith(b"Authorization"))
        writer.write(b"HTTP/1.1 none " + given + b"\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(send_back, "127.0.0.1", 0)
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        transport = HttpTransport({"small": make_model(endpoint, key_env="SMALL_KEY")})
        try:
            await transport.complete(make_request())
        finally:
            await transport.close()
            server.close()

    monkeypatch.setenv("SMALL_KEY", KEY)
    with pytest.raises(Unreachable, match=r"Bearer \[key\]") as caught:
        asyncio.run(run())
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["x", "1", "none", "EMPTY"])
def test_a_stand_in_for_a_key_changes_no_answer(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_KEY", key)
    text = f"1 {key} extra"
    assert asyncio.run(ask(answering(completion(text)), key_env="SMALL_KEY")).text == text


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a" * (1 << 16))
            sent += 1 << 16

    assert "found more than" in str(failing(endless))
    assert sent < 8 * MOST_BYTES


def test_a_refusal_tells_where_the_key_came_from() -> None:
    error = failing(answering({"error": {"message": "no key"}}, 401), key_env="NOT_SET_ANYWHERE")
    assert isinstance(error, ProviderRefused)
    assert "NOT_SET_ANYWHERE, which is not set" in error.hint


@pytest.mark.parametrize(
    "endpoint", ["ftp://a/v1", "http://", "http://me:secret@a/v1", "http://a:x/v1", "http://a/v1?key=1", "nonsense"]
)
def test_endpoints_that_are_none(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="expected http://host:port/v1") as caught:
        HttpTransport({"small": make_model(endpoint)})
    assert "secret" not in str(caught.value)


def test_keys_that_cannot_stand_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_KEY", "sk\r\nX: 1")
    with pytest.raises(ConfigError, match="SMALL_KEY") as caught:
        HttpTransport({"small": make_model("http://localhost/v1", key_env="SMALL_KEY")})
    assert "X: 1" not in str(caught.value)


def test_one_session_carries_many_requests_at_once() -> None:
    flying = 0

    async def run() -> list[Response]:
        everyone = asyncio.Event()

        async def answer(_: web.Request) -> web.Response:
            nonlocal flying
            flying += 1
            if flying == 150:
                everyone.set()
            await asyncio.wait_for(everyone.wait(), 20)
            return web.json_response(completion())

        async with serve(answer) as endpoint:
            transport = HttpTransport({"small": make_model(endpoint)})
            answers = await asyncio.gather(*(transport.complete(make_request(str(n))) for n in range(150)))
            await transport.close()
            return answers

    assert len(asyncio.run(run())) == 150


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        transport = HttpTransport({"small": make_model(f"https://localhost:{port}/v1")})
        try:
            await transport.complete(make_request())
        finally:
            await transport.close()
            server.close()

    with pytest.raises(ProviderRefused, match="certificate"):
        asyncio.run(run())


def test_a_server_that_is_no_tls_server_is_no_matter_of_trust() -> None:
    async def run() -> None:
        async with serve(answering(completion())) as endpoint:
            transport = HttpTransport({"small": make_model(endpoint.replace("http:", "https:"))})
            try:
                await transport.complete(make_request())
            finally:
                await transport.close()

    with pytest.raises(Failure) as caught:
        asyncio.run(run())
    assert not isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
