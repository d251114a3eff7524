from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import lemminflect
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.lexicon import base_forms, plural_form

library = cast(Any, lemminflect)
RESOURCES = Path(library.__file__).parent / "resources"


def words(table: str) -> list[str]:
    content = (RESOURCES / table).read_bytes()
    text = (gzip.decompress(content) if table.endswith(".gz") else content).decode()
    return sorted({line.split(",")[0] for line in text.splitlines() if line and not line.startswith("#")})


def told_plural(noun: str) -> str | None:
    return next(iter(library.getInflection(noun, "NNS")), None)


def test_base_forms_are_those_of_the_library() -> None:
    for word in (*words("lemma_lu.csv.gz"), *words("lemma_overrides.csv")):
        expected = library.getAllLemmas(word.casefold())
        assert list(base_forms(word.casefold()).items()) == list(expected.items())


def test_plurals_are_those_of_the_library() -> None:
    some = (*words("infl_lu.csv.gz")[::5], *words("infl_overrides.csv"), *words("lemma_lu.csv.gz")[::50])
    for noun in (*some, "can", "will", "must", "Box", "IDS", "customer_id", "a b", "", "box,noun", "\ud800"):
        assert plural_form(noun) == told_plural(noun)


@given(st.text(max_size=8))
def test_of_any_text_it_says_what_the_library_says(text: str) -> None:
    assert base_forms(text.casefold()) == library.getAllLemmas(text.casefold())
    assert plural_form(text) == told_plural(text)


def test_known_words_need_no_numpy() -> None:
    code = (
        "import sys; from agenther.stages.language.words import plural, stem;"
        "assert (stem('queries'), plural('city')) == ('query', 'cities'); print('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
