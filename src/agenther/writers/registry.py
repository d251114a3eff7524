"""The writers that exist, by the name of their consumer."""

from collections.abc import Iterable

from agenther.errors import UserError
from agenther.writers.atif_rows import AtifWriter
from agenther.writers.axolotl import AxolotlWriter
from agenther.writers.base import Writer
from agenther.writers.llamafactory import LlamaFactoryWriter
from agenther.writers.openai import OpenAiWriter
from agenther.writers.sharegpt import ShareGptWriter
from agenther.writers.swift import SwiftWriter
from agenther.writers.trl import TrlWriter

_BUILT_IN: tuple[Writer, ...] = (
    TrlWriter(),
    ShareGptWriter(),
    SwiftWriter(),
    LlamaFactoryWriter(),
    AxolotlWriter(),
    OpenAiWriter(),
    AtifWriter(),
)

WRITERS: dict[str, Writer] = {writer.consumer: writer for writer in _BUILT_IN}
"""Consumer name to its writer."""

DEFAULT = ("trl", "sharegpt")
"""The consumers that are written for when none is named."""


def known_consumers(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of consumers once each, in the order of the registry.

    Raises:
        UserError: a name is none.
    """
    wanted = list(names)
    if unknown := [name for name in wanted if name not in WRITERS]:
        raise UserError(f"no consumer is named {unknown[0]!r}", f"there are {', '.join(WRITERS)}")
    return tuple(name for name in WRITERS if name in wanted)
