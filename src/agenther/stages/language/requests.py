"""Does a sentence ask for something as an English user would: a question or a command, neither vague nor about the asking itself.

Knows nothing of runs; of goals only that they are requests, and of calls what words stand in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agenther.stages.language.words import (
    FUNCTION_WORDS,
    content_stems,
    is_base_verb,
    is_phrase_of_change,
    sentences,
    stem,
    tokens,
)

MOST_SENTENCES, MOST_WORDS = 2, 80
LEAST_WORDS, LEAST_CONTENT = 4, 2
"""Words of a request, and words among them that carry its matter, below which it leaves open what is wanted; one word less where
a thing is named by its number."""
_NUMBERED = re.compile(r"(?<!\w)(?=\w*\d)(?=\w*[^\W\d_])[\w-]{2,}|#\w*\d")
_CLAUSE = re.compile(r"[,;:]\s+|\.\s+(?=[A-Z])")
_LEAD = re.compile(
    r"(?:(?:please|kindly|now|then|first|also|and|\w+ly)\b,?\s+)*(?P<polite>(?:can|could|would|will) you (?:please )?)?",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\b(?:who|whom|whose|what|which|where|when|why|how)\b"
    r"|\A\W*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|am)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"(?:i|we)(?:['’]d|['’]m| am| are| would| will)? (?:want|need|like|looking|searching|wish|have to)\b"
    r"|(?:help|let) (?:me|us)\b|you (?:are to|need to|must|should|have to)\b|your (?:task|job|goal) is to\b",
    re.IGNORECASE,
)
_ABOUT_THE_RUN = re.compile(
    r"\b(?:the|this|an?|your|that) (?:ai |language |chat)?(?:agent|assistant|trajectory|transcript|observation|chatbot)\b"
    r"|\btrajector(?:y|ies)\b|\bhindsight\b|\bsteps? \d+\b|\b(?:tool|function) (?:calls?|outputs?|results?)\b"
    r"|\b(?:previous|earlier|preceding|last|first|next|failed) (?:step|turn|attempt|action|observation)s?\b"
    r"|\bdemonstrat\w+ (?:how|that)\b|\bas (?:shown|found|seen|observed|returned) (?:above|by|in)\b|\blanguage model\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\A\W*(?:please )?(?:explore|investigate|look into|gather|learn|try|attempt|work on|continue|proceed|make progress)\b"
    r"|\b(?:some|relevant|various|general|useful|any|more) (?:information|details|data|results|things|stuff)\b"
    r"|\b(?:information|details) (?:about|on|regarding|related to)\b"
    r"|\b(?:something|anything|stuff|whatever|and so on)\b|(?<!/)\betc\b(?!/)",
    re.IGNORECASE,
)
_ASKING = frozenset(
    """
    answer calculate check compare compute count describe determine display enumerate estimate explain fetch find get give
    identify inspect list locate look lookup name output print provide read report retrieve return say search see show
    summarise summarize tell verify view
    """.split()
)
"""Verbs of commands whose result is told, not left behind."""
_ASKING_OR_CHANGING = frozenset(
    """
    analyse analyze assess classify convert decode diagnose evaluate extract measure parse predict rank research select solve
    sort sum test transcribe translate work
    """.split()
)
"""Verbs of commands whose result is told or left behind."""
_DETERMINERS = frozenset("a an her his its it my our that the their them these this those your".split())
_OPEN = frozenset("how if what when where whether which who whom whose why".split())
"""Words by which a command leaves open what is to be found out."""
_WANTS_TO_KNOW = re.compile(r"\b(?:know|learn|see|find out|hear|understand|tell me|show me)\b", re.IGNORECASE)


def why_no_request(text: str, old: str = "") -> str | None:
    """Return what keeps a text from being a user's request; None when nothing does.

    Args:
        text: the request.
        old: a request of the same user; words of it are the user's own, whatever they are.
    """
    n_words, n_sentences = len(text.split()), len(sentences(text.strip()))
    if n_words > max(MOST_WORDS, len(old.split())) or n_sentences > max(MOST_SENTENCES, len(sentences(old.strip()))):
        return f"{n_sentences} sentences and {n_words} words are no short request"
    if "\n" in text or "{{" in text or "```" in text:
        return "it is laid out like a document"
    for pattern, what in ((_ABOUT_THE_RUN, "speaks of how it was done"), (_VAGUE, "leaves open what is wanted")):
        if (found := pattern.search(text)) is not None and found.group().casefold() not in old.casefold():
            return f"{found.group()!r} {what}"
    if n_words < LEAST_WORDS - (_NUMBERED.search(text) is not None) or len(content_stems(text)) < LEAST_CONTENT:
        return "it leaves open what is wanted"
    return None if is_question(text) or is_command(text) else "it is neither a question nor a command"


def is_question(text: str) -> bool:
    """Tell whether a text asks to be told something: it ends as a question, or opens with a question word."""
    lead = _LEAD.match(text.strip())
    if lead is not None and lead["polite"]:
        return False
    first = _QUESTION.match(text.strip()[lead.end() if lead else 0 :])
    return _QUESTION.search(text) is not None and (text.rstrip(" \"'”)").endswith("?") or first is not None)


def is_command(text: str) -> bool:
    """Tell whether one of the first clauses of a text opens with a verb, or with a wish."""
    return any(_WISH.match(clause) or is_base_verb(_first_word(clause)) for clause in _clauses(text))


class Deed(NamedTuple):
    """A call that may have changed something, in words."""

    verb: str
    """First word of its name."""
    things: frozenset[str]
    """Stems of the other words of its name, and of those of its arguments."""


def wants_answer(text: str, deeds: Iterable[Deed] = ()) -> bool:
    """Tell whether a request is for being told something: a question, or a command such as list, find, count.

    Args:
        text: the request.
        deeds: calls that it may be about: "return the book" asks for a call `return_book`, for no answer.
    """
    if is_question(text):
        return True
    command = next((clause for clause in _clauses(text) if is_base_verb(_first_word(clause))), "")
    return _first_word(command).casefold() in _ASKING and not _is_change(command, deeds)


def _is_change(command: str, deeds: Iterable[Deed]) -> bool:
    """Tell whether a command whose verb asks is one for a change: by its particle, or as a call does it to the same things."""
    words = [word.casefold() for word in tokens(command)]
    if _OPEN.intersection(words):
        return False
    things = list(_object(words[1:]))
    apart = [words[0], *words[1 + len(things) :]]
    if is_phrase_of_change(words) or (apart[1:2] == ["out"] and is_phrase_of_change(apart)):
        return True
    stems = {stem(word) for word in things if word not in FUNCTION_WORDS}
    return bool(stems) and any(deed.verb == words[0] and stems <= deed.things for deed in deeds)


def _object(words: Iterable[str]) -> Iterator[str]:
    """Yield what stands behind a verb up to the next preposition, conjunction or particle."""
    for word in words:
        if word in FUNCTION_WORDS and word not in _DETERMINERS:
            return
        yield word


def may_want_answer(text: str) -> bool:
    """Tell whether a request may be for being told something; False when it is surely for a change alone."""
    if is_question(text):
        return True
    verb = next((word for word in map(_first_word, _clauses(text)) if is_base_verb(word)), "").casefold()
    wishes = any(_WISH.match(clause) for clause in _clauses(text))
    return verb in _ASKING | _ASKING_OR_CHANGING or (wishes and _WANTS_TO_KNOW.search(text) is not None)


def _clauses(text: str) -> list[str]:
    return [_LEAD.sub("", clause.strip(), count=1) for clause in _CLAUSE.split(text.strip(), maxsplit=2)]


def _first_word(clause: str) -> str:
    return next(iter(tokens(clause)), "")
