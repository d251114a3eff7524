"""Texts that every output can hold: names of files and recorded texts without what UTF-8 has no bytes for."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import SplitResult, urlsplit


def path_text(path: str | Path) -> str:
    """Return a path as text; bytes of its name that are no UTF-8 stand as escapes such as `\\xff`."""
    text = str(path)
    if text.isascii():
        return text
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return storable(text)


def storable(text: str) -> str:
    """Return a text that can be stored: a lone half of a surrogate pair stands as an escape such as `\\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()


def whole_text(text: str) -> str:
    """Return the text with a replacement character for each lone half of a surrogate pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; what is none (`http://[`) is all path."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")
