"""Network recordings (HAR files, Playwright's traces): which pages were loaded and what was sent, without secrets.

Owns the reading of single requests. Headers decide what a request was and are then forgotten; cookies, keys and passwords go no
further. Which requests make a step belongs to the readers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_string
from email.policy import HTTP
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

import orjson

from agenther.errors import ReadError
from agenther.readers.archive import Archive
from agenther.readers.base import Place, read_json, read_jsonl
from agenther.readers.files import BAD_FILE, open_input
from agenther.record import Json, JsonObject

SECRET = "<SECRET>"  # noqa: S105
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|pwd|token|secret|api_?key|form_key|csrf|session_?id|sessid|authorization|signature|credential"
    r"|private_?key|\botp\b|\bpass\b|\bpin\b|cvv|cvc|card_?number",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?P<name>[^?&#;=]{1,80})=(?P<value>[^&#;]*)")
_ASSET = re.compile(r"\.(?:css|js|mjs|map|png|jpe?g|gif|svg|webp|ico|woff2?|ttf|eot|mp4|webm)\Z", re.IGNORECASE)
_SENDING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_TRACE = "trace.network"


@dataclass(frozen=True)
class Request:
    """One request that loaded a page or sent something."""

    method: str
    url: str
    is_page: bool
    """Whether the browser went to it, instead of asking for data in the background."""
    sent: Json
    """Fields by name where they could be told apart, else text; None when nothing was sent."""
    status: int
    """0 or less when no answer came."""
    status_text: str
    redirect: str
    """Where the answer sent the browser; empty when nowhere."""
    kind: str
    """Media type of the answer, without parameters."""
    body: str
    """Text of the answer; empty when it was not recorded."""


def requests_of(path: Path) -> Iterator[Request]:
    """Yield the requests of a recording that loaded a page or sent something, in order.

    Raises:
        ReadError: the recording, or one of its entries, cannot be read.
    """
    for place, value in _entries(path):
        entry = place.obj(value)
        asked = place.at("request").obj(entry.get("request"))
        url = place.at("request").at("url").str(asked.get("url"))
        method = place.at("request").at("method").str(asked.get("method")).upper()
        headers = _headers(asked)
        if not url.startswith(("http://", "https://")) or _passed_over(place, url, headers):
            continue
        is_page = method in _SENDING | {"GET"} and _is_page(entry, headers)
        if is_page or method in _SENDING:
            yield _request(place, entry, method, url, is_page)


def _entries(path: Path) -> Iterator[tuple[Place, Json]]:
    if path.suffix.lower() == ".zip":
        yield from _snapshots(Place(path), enumerate(_zipped(path).splitlines(), start=1))
        return
    if path.name == _TRACE:
        for item in read_jsonl(path):
            if isinstance(item, ReadError):
                raise item
            yield from _snapshot(Place(path, item[0]), item[1])
        return
    whole = read_json(path)
    if isinstance(whole, ReadError):
        raise whole
    place = Place(path).at("log")
    log = place.obj(Place(path).obj(whole).get("log"))
    for i, entry in enumerate(place.at("entries").list(log.get("entries"))):
        yield place.at("entries").at(i), entry


def _snapshots(place: Place, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[Place, Json]]:
    for number, line in lines:
        if line.strip():
            here = Place(place.path, number)
            try:
                value = cast(Json, orjson.loads(line))
            except orjson.JSONDecodeError as error:
                raise here.error("a JSON value on one line", error.msg) from error
            yield from _snapshot(here, value)


def _snapshot(place: Place, value: Json) -> Iterator[tuple[Place, Json]]:
    line = place.obj(value)
    if line.get("type") == "resource-snapshot":
        yield place.at("snapshot"), line.get("snapshot")


def _zipped(path: Path) -> bytes:
    """Return the network part of a trace."""
    try:
        with open_input(path) as file:
            return Archive(file).read(_TRACE)
    except BAD_FILE as error:
        raise ReadError(str(path), None, _TRACE, "a trace in a zip archive", str(error)) from error


def _headers(asked: JsonObject) -> dict[str, str]:
    listed = asked.get("headers")
    found: dict[str, str] = {}
    for header in listed if isinstance(listed, list) else []:
        if isinstance(header, dict) and isinstance(name := header.get("name"), str):
            found[name.lower()] = str(header.get("value"))
    return found


def _passed_over(place: Place, url: str, headers: dict[str, str]) -> bool:
    """Tell requests that no agent made: parts of pages, guesses of the browser, other sites' counters."""
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise place.at("request").at("url").error("a URL", url) from error
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "")
    return _ASSET.search(path) is not None or "prefetch" in purpose or headers.get("sec-fetch-dest") == "iframe"


def _is_page(entry: JsonObject, headers: dict[str, str]) -> bool:
    if "sec-fetch-dest" in headers:
        return headers["sec-fetch-dest"] == "document" and headers.get("sec-fetch-mode", "navigate") == "navigate"
    if isinstance(kind := entry.get("_resourceType"), str):
        return kind == "document"
    return headers.get("accept", "").startswith("text/html") and "x-requested-with" not in headers


def _request(place: Place, entry: JsonObject, method: str, url: str, is_page: bool) -> Request:
    asked = place.obj(entry.get("request"))
    answer = place.at("response").obj(entry.get("response"))
    status = answer.get("status")
    content = answer.get("content")
    body = content if isinstance(content, dict) else {}
    redirect = answer.get("redirectURL")
    return Request(
        method=method,
        url=without_secrets(url),
        is_page=is_page,
        sent=_sent(asked.get("postData")),
        status=status if isinstance(status, int) and not isinstance(status, bool) else 0,
        status_text=str(answer.get("statusText") or ""),
        redirect=without_secrets(urljoin(url, redirect)) if isinstance(redirect, str) and redirect.strip() else "",
        kind=str(body.get("mimeType") or "").partition(";")[0].strip().lower(),
        body=_told(_body(body)),
    )


def without_secrets(url: str) -> str:
    """Return a URL whose user, password and secret parameters are hidden; the same text when it has none."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    head, mark, query = url.partition("?")
    hidden = _QUERY.sub(lambda m: f"{m['name']}={SECRET}" if _SECRET_NAME.search(m["name"]) else m.group(), query)
    return f"{head}{mark}{hidden}"


def _body(content: JsonObject) -> str:
    text = content.get("text")
    if not isinstance(text, str) or content.get("encoding") != "base64":
        return text if isinstance(text, str) else ""
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _told(text: str) -> str:
    """Return the text of an answer; where it is JSON, with its secrets hidden."""
    if text.lstrip()[:1] not in ("{", "[") or _SECRET_NAME.search(text) is None:
        return text
    try:
        value = cast(Json, orjson.loads(text))
    except orjson.JSONDecodeError:
        return text
    hidden = _hidden(value)
    return text if hidden == value else orjson.dumps(hidden).decode()


def _sent(posted: Json) -> Json:
    """Return what was sent, by fields where it has some, its secrets hidden."""
    if not isinstance(posted, dict):
        return None
    kind, text = str(posted.get("mimeType") or ""), posted.get("text")
    params = posted.get("params")
    if not isinstance(text, str) or not text:
        pairs = [p for p in params if isinstance(p, dict)] if isinstance(params, list) else []
        return _fields((str(p.get("name")), str(p.get("value") or "")) for p in pairs) if pairs else None
    if "x-www-form-urlencoded" in kind:
        return _fields(parse_qsl(text, keep_blank_values=True, max_num_fields=10_000))
    if "multipart/form-data" in kind:
        return _fields(_parts(kind, text))
    try:
        return _hidden(cast(Json, orjson.loads(text)))
    except orjson.JSONDecodeError:
        return SECRET if _SECRET_NAME.search(text) else text


def _fields(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return fields by name; a name that comes several times has a list."""
    fields: JsonObject = {}
    for name, value in pairs:
        shown = SECRET if _SECRET_NAME.search(name) else value
        if name not in fields:
            fields[name] = shown
        elif isinstance(known := fields[name], list):
            known.append(shown)
        else:
            fields[name] = [known, shown]
    return fields


def _parts(kind: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form in parts; of a file its name alone."""
    whole = message_from_string(f"Content-Type: {' '.join(kind.split())}\n\n{text}", policy=HTTP)
    for part in whole.iter_parts():
        name = part.get_param("name", header="content-disposition")
        file = part.get_filename()
        body = part.get_payload()
        value = file if file is not None else body if isinstance(body, str) else ""
        yield str(name), value.removesuffix("\n").removesuffix("\r")


def _hidden(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            k: SECRET if v and not isinstance(v, bool) and _SECRET_NAME.search(k) else _hidden(v)
            for k, v in value.items()
        }
    return [_hidden(one) for one in value] if isinstance(value, list) else value
