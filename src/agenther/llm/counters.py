"""Who counts the tokens of a text: an estimate that errs upwards, or the tokenizer of the model that is to be trained.

What a chat template adds between texts belongs to `writers.lengths`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol

from agenther.config import BY_ESTIMATE
from agenther.errors import MissingExtra, UserError
from agenther.llm.tokens import estimate_tokens
from agenther.texts import path_text

FILE = "tokenizer.json"


class TokenCounter(Protocol):
    """Counts the tokens of a text."""

    by: str
    """Who counts: `estimate`, or the name of a tokenizer with the digest of its file."""

    def __call__(self, text: str) -> int:
        """Return the number of tokens of a text."""
        ...


class Estimate:
    """Counts by characters, rather too many than too few."""

    by = BY_ESTIMATE

    def __call__(self, text: str) -> int:
        """Return an estimate, on the upper side, of the tokens of a text."""
        return estimate_tokens(text)


class FileTokenizer:
    """Counts as a model does.

    Args:
        path: a `tokenizer.json`, or the folder of a model that holds one.

    Raises:
        MissingExtra: the library that reads it is not installed.
        UserError: there is none, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingExtra(
                "counting with a tokenizer needs tokenizers", "pip install 'agenther[tokens]'"
            ) from error
        file, raw = _content(path)
        self.by = _name_of(file, raw)
        self._tokenizer = _read(file, Tokenizer.from_str, raw)

    def __call__(self, text: str) -> int:
        """Return the number of tokens of a text, without marks at its ends."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _content(path: Path) -> tuple[Path, bytes]:
    """Return the file of a tokenizer and what it holds."""
    file = path / FILE if path.is_dir() else path
    try:
        return file, file.read_bytes()
    except FileNotFoundError as error:
        raise _none_at(path, "no such file or folder" if file == path else f"a folder without {FILE}") from error
    except OSError as error:
        raise _none_at(file, str(error)) from error


def _name_of(file: Path, raw: bytes) -> str:
    return f"{path_text(file.absolute().parent.name)}@{hashlib.sha256(raw).hexdigest()[:12]}"


def _read(file: Path, read: Any, raw: bytes) -> Any:
    """Return the tokenizer without what cuts or fills up. What its library raises is no narrower than `Exception`."""
    try:
        tokenizer = read(raw.decode())
    except Exception as error:
        raise _none_at(file, str(error) or type(error).__name__) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _none_at(file: Path, found: str) -> UserError:
    return UserError(
        f"{path_text(file)}: expected the {FILE} of a model, found {found:.120}",
        "name such a file, or the folder of a model that holds one; names on a hub are not fetched",
    )


def load_counter(tokenizer: str) -> TokenCounter:
    """Return the counter of a tokenizer's file or folder, or of the estimate.

    Raises:
        MissingExtra: the library that reads tokenizers is not installed.
        UserError: there is no tokenizer.
    """
    return Estimate() if tokenizer == BY_ESTIMATE else FileTokenizer(Path(tokenizer).expanduser())


def counter_name(tokenizer: str) -> str:
    """Return who counts, without making ready to count; arguments and errors as for `load_counter`."""
    return BY_ESTIMATE if tokenizer == BY_ESTIMATE else _name_of(*_content(Path(tokenizer).expanduser()))
