"""Does the kept query answer the old goal after all, or is the new goal the old one in other words?

Both goals are reduced to what they ask: superlatives, functions, negation, numbers, values and the names of the schema,
with one word for synonyms. A goal that holds all that the old one asks is refused.
"""

from __future__ import annotations

import re

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.sql.parse import parse_select
from agenther.stages.language.sql.run import Known, SqlCall, known_schema, sql_calls
from agenther.stages.language.sql.shape import Select, Unspeakable
from agenther.stages.language.sql.words import name_words, one
from agenther.stages.language.words import FUNCTION_WORDS, is_noun, split_name, stem, tokens
from agenther.stages.verify.leaks import prose_of
from agenther.stages.verify.sql.difference import difference

_SYNONYMS = {
    "#most": "most highest greatest largest maximum biggest max top longest oldest heaviest tallest",
    "#least": "fewest lowest smallest minimum min least youngest shortest lightest fastest",
    "#last": "latest last newest recent",
    "#first": "earliest first",
    "#best": "best",
    "#mainly": "predominant predominantly mainly mostly",
    "#average": "average mean avg",
    "#total": "total sum altogether",
    "#not": "not no without except never neither nor don't doesn't didn't isn't aren't other none non",
    "#count": "many count",
    "#above": "above more greater higher over exceed larger bigger after later older heavier longer",
    "#below": "below less fewer lower smaller under before earlier younger lighter shorter",
    "country": "country nation",
    "population": "population inhabitant resident live reside",
    "person": "person people",
    "common": "common popular",
    "official": "official officially",
    "abbreviation": "abbreviation abbreviated",
}
_OF = {word: name for name, words in _SYNONYMS.items() for word in words.split()}
_EACH_STEM = {stem(word): name for word, name in _OF.items()}
QUOTE = 6
"""So many words of the old goal in a row, and not in the new one, are a quotation."""
_FUNCTIONS = frozenset({"#most", "#least", "#average", "#total"})
_EXTREMES = frozenset({"#best", "#mainly"})
"""Words that a goal may replace by the plain extreme it takes them for."""
_SOFT = frozenset(
    """
    id name code number descend ascend order sort list detail information info record table data all row
    entry value item thing make use show play hold distinct different unique
    """.split()
)
_NUMBERS: list[str] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)
_BOUND = r"(?<!no )(?<!not )\b(?:(?:{}) than|{}) (\d+)\b(?!\.\d)"
_MORE_THAN = re.compile(_BOUND.format("more|greater|larger|higher", "over|above|after"), re.IGNORECASE)
_LESS_THAN = re.compile(_BOUND.format("less|fewer|smaller|lower", "under|below|before"), re.IGNORECASE)
"""Bounds that do not hold their number: more than 2 is at least 3."""
_TURNS = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (r"\b(?:total )?numbers? of\b|\bhow many\b|\bcount(?: of)?\b", "many"),
        (r"\b(?:at least|no less than|not less than|or more|or later)\b", "more"),
        (r"\b(?:at most|no more than|not more than|or less|or fewer|or earlier)\b", "less"),
        (r"\bbetween\b", "more less"),
        (r"\bas well as\b", "and"),
    )
)
"""Turns of speech and the word that says the same."""
_QUOTED = re.compile(r"[\"'“]([^\"'”]{1,60})[\"'”]")
_HEAD = re.compile(r"\b(?:which|what)\s+([a-z]+)\b", re.IGNORECASE)
_STAR = re.compile(r"\bselect\s+(?:\w+\.)?\*", re.IGNORECASE)
_NAMES = re.compile(r"(?<=[\w,;] )[A-Z][\w'-]*|\b[A-Z]{2,}\b")


def asks(text: str) -> frozenset[str]:
    """Return what a text asks, one word for synonyms."""
    plain = text.replace("’", "'").lower() if text.isupper() else text.replace("’", "'")
    plain = _NUMBER_WORD.sub(lambda m: str(_NUMBERS.index(m.group().lower())), plain)
    plain = _MORE_THAN.sub(lambda m: f"more {int(m.group(1)) + 1}", plain)
    plain = _LESS_THAN.sub(lambda m: f"less {int(m.group(1)) - 1}", plain)
    for pattern, meaning in _TURNS:
        plain = pattern.sub(f" {meaning} ", plain)
    return frozenset(_one_word(token) for token in tokens(plain))


def _one_word(token: str) -> str:
    low = token.lower()
    if low in _OF:
        return _OF[low]
    base = stem(low)
    return _EACH_STEM.get(base, base) if len(low) > 3 else low


def hard_asks(text: str, schema: frozenset[str], *, heads: bool = True) -> frozenset[str]:
    """Return what a goal asks that cannot be mere wording: functions, numbers, values, names of the schema, heads."""
    named = {_one_word(t) for m in _NAMES.finditer(text) for t in tokens(m.group())}
    named |= {_one_word(t) for m in _QUOTED.finditer(text) for t in tokens(m.group(1))}
    if heads:
        named |= {_one_word(m.group(1)) for m in _HEAD.finditer(text) if is_thing(m.group(1))}
    return frozenset(
        word
        for word in asks(text)
        if word not in _SOFT and (word.startswith("#") or word.isdigit() or word in named or word in schema)
        if word not in FUNCTION_WORDS or word in named
    )


def is_thing(word: str) -> bool:
    """Tell whether a word after which or what names what is asked for."""
    return is_noun(word) and word.lower() not in FUNCTION_WORDS


def covers(words: frozenset[str], word: str) -> bool:
    """Tell whether one of the words is this one, or derived from it: African, Africa."""
    if word in words or (word in _EXTREMES and words & {"#most", "#least"}):
        return True
    if word.startswith("#") or word.isdigit():
        return False
    return any(len(w) >= 4 and len(word) >= 4 and _alike(w, word) for w in words)


def _alike(a: str, b: str) -> bool:
    shared = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return shared >= max(4, min(len(a), len(b)) - 1)


def check_sql_novelty(rewritten: Rewritten) -> Score:
    """Refuse when the new goal, or the query behind it, holds everything that the old goal asks."""
    by, old, new = "check:sql_novelty", rewritten.trajectory.goal, rewritten.proposal.goal
    calls = list(sql_calls(rewritten.trajectory))
    known = known_schema(calls)
    tables, columns = _schema_words(calls, known)
    query = next((c.query for c in calls if c.step == query_step(rewritten)), "")
    said = asks(new) | frozenset(_one_word(t) for t in tokens(query))
    if _STAR.search(query):
        shown = _shown_words(query, known)
        said |= shown
        asked = hard_asks(old, tables | columns if shown else frozenset(), heads=bool(shown))
    else:
        asked = hard_asks(old, tables | columns)
    if _holds_counts(query):
        said |= {"#count"}
    missing = sorted(word for word in asked if not covers(said, word))
    other = difference(old, new, _parsed(query)) if not missing else None
    if other is not None:
        return passed(by, other)
    if not missing:
        return refused(by, Reason.REWORDING, "the query asks everything that the old goal asks")
    return passed(by, f"the old goal also asks for {missing[:4]}")


def _parsed(query: str) -> Select:
    try:
        return parse_select(query)
    except Unspeakable:
        return Select(items=(), tables=())


def _schema_words(calls: list[SqlCall], known: Known) -> tuple[frozenset[str], frozenset[str]]:
    """Return the nouns in the tables and the columns that the run saw or tried; aliases are no schema."""
    tables = set(known.tables)
    names = {column.name for columns in known.columns.values() for column in columns.values()}
    for call in calls:
        try:
            select = parse_select(call.query)
        except Unspeakable:
            continue
        tables |= set(select.all_tables())
        names |= {column.name for column in select.columns()}
    guessed = frozenset(_one_word(t) for name in names | tables for t in split_name(name) if not is_noun(t))
    return _parts_of(tables) - guessed, _parts_of(names) - guessed


def check_sql_thoughts(rewritten: Rewritten) -> Score:
    """Refuse when a trained thought speaks of an extreme or an average that only the old goal asks for, or quotes it."""
    by = "check:sql_thoughts"
    runs = prose_runs(rewritten.trajectory.goal) - prose_runs(rewritten.proposal.goal)
    gone = (asks(rewritten.trajectory.goal) - asks(rewritten.proposal.goal)) & _FUNCTIONS
    for step in rewritten.steps:
        if step.step_id in rewritten.train_on and (found := asks(prose_of(step)) & gone):
            return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"step {step.step_id} speaks of {sorted(found)}")
        if step.step_id in rewritten.train_on and (quoted := prose_runs(prose_of(step)) & runs):
            return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"step {step.step_id} quotes {sorted(quoted)[0]!r}")
    return passed(by, "no thought speaks of an extreme or average of the old goal, or quotes it")


def prose_runs(text: str) -> set[str]:
    """Return every few words in a row of a text."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + QUOTE]) for i in range(len(words) - QUOTE + 1)}


def _holds_counts(query: str) -> bool:
    """Tell whether a column of the query holds numbers of things: final_tables, num_of_staff."""
    try:
        names = [name_words(column.name) or ("",) for column in parse_select(query).columns()]
    except Unspeakable:
        return False
    return any(words[0] == "number" or one(words[-1]) != words[-1] for words in names)


def _shown_words(query: str, known: Known) -> frozenset[str]:
    """Return the words of all columns that `SELECT *` shows, where the run looked them up."""
    try:
        tables = parse_select(query).tables
    except Unspeakable:
        return frozenset()
    return _parts_of({c.name for table in tables for c in known.columns.get(table.lower(), {}).values()})


def _parts_of(names: set[str]) -> frozenset[str]:
    return frozenset(_one_word(part) for name in names for part in split_name(name))


def query_step(rewritten: Rewritten) -> int:
    """Return the step of the query that the goal was made from."""
    return rewritten.proposal.claims[0].evidence[0].step
