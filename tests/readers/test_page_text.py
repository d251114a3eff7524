from __future__ import annotations

import time

import pytest

from agenther.readers.page_text import page_text, page_title

PAGE = """<!doctype html><HTML><head><title>Wheels
 &amp; kilns</title><script>if (a < b) {}</script></head>
<body><!-- <p>gone</p> --><h1 class="x">Two <b>wheels</b></h1><SCRIPT>x()</SCRIPT><ul><li>One<li>3 &lt; 4</ul>
<template>later</template></body></html>"""


def test_what_can_be_read_stands_in_lines() -> None:
    assert page_title(PAGE) == "Wheels & kilns"
    assert page_text(PAGE) == "Two wheels\nOne\n3 < 4"


def test_pieces_of_pages() -> None:
    assert (page_title("no page"), page_text("no <page"), page_text("")) == ("", "no <page", "")
    assert page_text("seen<script>never closed<p>gone") == "seen"
    assert page_text("seen<!-- never closed<p>gone") == "seen"


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!", "<!--", "</", "<script>", "<script", "<b>", "<a b='", "<title ", "&", "&#", "<p\n", "<head><svg "],
)
def test_any_page_is_read_at_once(piece: str) -> None:
    started = time.process_time()
    page = piece * 100_000
    page_text(page)
    page_title(page)
    assert time.process_time() - started < 5
