"""The tables of lemminflect: base forms and plurals of English words.

Its files are read as they are and a line is parsed when its word is asked for: as the library keeps them, they take five
times the memory and need numpy. The library itself is asked for plurals that its tables lack.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast


@lru_cache(maxsize=4096)
def base_forms(word: str) -> dict[str, tuple[str, ...]]:
    """Return the base forms of a word by part of speech (NOUN, VERB, ADJ, ADV, AUX); empty for a word that is not known."""
    found = (*_entries("lemma_lu.csv.gz", word.lower()), *_entries("lemma_overrides.csv", word.lower()))
    return {kind.upper(): tuple(forms.lower().split("/")) for kind, forms in found}


@lru_cache(maxsize=4096)
def plural_form(noun: str) -> str | None:
    """Return the plural of a noun given in the singular, in capitals like it; None when the library knows of none."""
    found = (*_entries("infl_lu.csv.gz", noun.lower()), *_entries("infl_overrides.csv", noun.lower()))
    known = [forms for kind, forms in found if kind in ("noun", "NNS") and forms]
    return _like(noun, known[-1].split("/")[0]) if known else _guessed_plural(noun)


def _like(word: str, form: str) -> str:
    """Return a form with the capitals of a word."""
    if word.isupper():
        return form.upper()
    return form.capitalize() if word[:1].isupper() else form.lower()


def _guessed_plural(noun: str) -> str | None:
    import lemminflect

    forms = cast(dict[str, tuple[str, ...]], cast(Any, lemminflect).getAllInflectionsOOV(noun, "NOUN"))
    return forms["NNS"][0] if "NNS" in forms else None


def _entries(table: str, word: str) -> Iterator[tuple[str, str]]:
    """Yield what a table has under a word: a kind (part of speech or tag) and its forms."""
    lines = _lines(table)
    for number in range(bisect_left(lines, f"{word},"), len(lines)):
        found, kind, forms = lines[number].split(",", 2)
        if found != word:
            return
        yield kind, forms


@cache
def _lines(table: str) -> list[str]:
    spec = find_spec("lemminflect")
    assert spec is not None
    assert spec.origin is not None
    content = (Path(spec.origin).parent / "resources" / table).read_bytes()
    text = (gzip.decompress(content) if table.endswith(".gz") else content).decode()
    return sorted(line for line in text.split("\n") if "," in line)
