"""What an encoder gives: the tokens of each row's sides with their mask, in the order of the file; and which encoders exist."""

# pyright: basic
from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

IGNORED = -100
"""The label that frameworks give to tokens without loss."""


class Part(NamedTuple):
    """Which rows are encoded, and for what model."""

    out: Path
    """Folder of a finished job."""
    consumer: str
    kind: str
    side: str
    """`train` or `test`."""
    tokenizer: str
    """Folder or hub name of a tokenizer, where a framework needs it with the config.json of its model."""
    template: str | None = None
    """The framework's name of the chat template; None: what the settings beside the rows say, or the framework finds."""

    @property
    def folder(self) -> Path:
        """The folder with the settings of the consumer."""
        return self.out / "train" / self.consumer

    @property
    def rows(self) -> Path:
        """The file with the rows."""
        return self.out / self.side / self.consumer / f"{self.kind}.jsonl"


class Encoded(NamedTuple):
    """A conversation as a framework gives it to the model."""

    row: int
    """Number of the row, from 0, among those that the framework loaded."""
    side: str
    """`chosen` or `rejected` of a pair; else empty."""
    ids: list[int]
    trained: list[bool]
    """For each token, whether its loss counts."""
    scales: list[float] | None = None
    """What the loss of each token is multiplied by, where the framework says it."""


class Encoding(NamedTuple):
    """The rows of a part, and the tokenizer that names their tokens."""

    tokenizer: Any
    sides: Iterator[Encoded]


class Encoder(Protocol):
    """A module here."""

    def encode(self, part: Part) -> Encoding:
        """Encode rows."""
        ...


class Home(NamedTuple):
    """Where a consumer's code comes from."""

    module: str
    """What is imported."""
    install: str
    """The line that installs it."""


ENCODERS: dict[str, Home] = {
    "trl": Home("trl", "pip install 'agenther[train]'"),
    "sharegpt": Home("fastchat", "pip install fschat==0.2.36 torch transformers numpy jsonlines"),
    "swift": Home("swift", "pip install ms-swift==4.6.0"),
    "llamafactory": Home("llamafactory", "pip install llamafactory==0.9.5"),
    "axolotl": Home("axolotl", "pip install axolotl==0.21.0"),
}
"""Consumers whose own code can say which tokens train. The provider of `openai` alone knows, and nothing trains `atif`."""


def load_encoder(consumer: str) -> Encoder:
    """Import an encoder with its framework, which takes seconds.

    Raises:
        ImportError: the framework is not installed here.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DISABLE_VERSION_CHECK", "1")
    importlib.import_module(ENCODERS[consumer].module)
    return importlib.import_module(f"agenther.train.encoders.{consumer}")  # pyright: ignore[reportReturnType]


def from_labels(row: int, side: str, ids: Any, labels: Any, scales: Any = None) -> Encoded:
    """Return a side whose tokens without loss have the label that frameworks give them."""
    trained = [int(label) != IGNORED for label in labels]
    return Encoded(row, side, [int(token) for token in ids], trained, None if scales is None else list(scales))


def read_settings(part: Part) -> dict[str, Any]:
    """Return the settings beside the rows of a kind."""
    import yaml

    return yaml.safe_load((part.folder / f"{part.kind}.yaml").read_text(encoding="utf-8"))
