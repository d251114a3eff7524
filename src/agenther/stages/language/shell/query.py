"""What a read-only pipeline asks for: which files, what about them, in which order. Refuses what it cannot say exactly."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from agenther.stages.language.shell.find import Files, read_find
from agenther.stages.language.shell.grep import GREPS, read_grep
from agenther.stages.language.shell.meaning import Ask, Query
from agenther.stages.language.shell.options import Options, read_options
from agenther.stages.language.shell.parse import Refused, Simple, Word, parse_pipeline
from agenther.stages.language.shell.stages import CHECKSUMS, UNITS, add_stage

_FILES = re.compile(r"(?:[^*?\[]*/)?\*\.[A-Za-z]\w{0,7}\Z")
"""Wildcards for what one takes for files, because of the ending."""
_CD = re.compile(r"\s*cd\s+(?P<place>/[\w./+@-]*)\s*&&\s*")


@lru_cache(maxsize=256)
def understand(command: str) -> Query:
    """Return what a command line asks for.

    Raises:
        Refused: it is no plain pipeline, or means something that cannot be said exactly.
    """
    base, pipeline = _after_cd(command)
    first, *rest = pipeline
    query, n_used = _start(first, rest)
    for stage in rest[n_used:]:
        query = add_stage(query, stage)
    if query.ask is Ask.TEXT and (query.column is not None or query.order is not None):
        query = replace(query, ask=Ask.VALUES)
    if query.ask is Ask.TEXT:
        raise Refused("the bare text of files")
    return query if base is None else replace(query, files=replace(query.files, base=base))


def _after_cd(command: str) -> tuple[Word | None, tuple[Simple, ...]]:
    """Split `cd /place && pipeline` into the place and the pipeline, whose words keep their places in the whole line."""
    match = _CD.match(command)
    if match is None:
        return None, parse_pipeline(command)
    before = match.end()
    base = Word(match["place"], match.start("place"), match.end("place"), False)
    shifted = [
        Simple(tuple(word._replace(start=word.start + before, end=word.end + before) for word in one.words))
        for one in parse_pipeline(command[before:])
    ]
    return base, tuple(shifted)


def _start(first: Simple, rest: list[Simple]) -> tuple[Query, int]:
    match first.name:
        case "find":
            return _from_find(first, rest)
        case "ls":
            return _from_ls(first), 0
        case "du":
            return _from_du(first), 0
        case "tar":
            return _from_tar(first), 0
        case "df":
            return _from_df(first), 0
        case "diff":
            return _from_diff(first), 0
        case "cut" | "sort":
            return _from_text(first), 0
        case name if name in GREPS:
            return read_grep(first), 0
        case "wc" | "cat" | "md5sum" | "sha1sum" | "sha256sum" | "sha512sum":
            given = read_options(first, flags="lwcm", long_flags={}).operands
            if not given or any(word.text == "-" for word in given):
                raise Refused(f"{first.name} without a file")
            files = Files("files", given, direct=any(word.glob for word in given), given=True)
            options = tuple(word for word in first.words if word not in given)
            return _applied(Simple(options), files, each=False), 0
        case name:
            raise Refused(f"no words for {name}")


def _from_find(first: Simple, rest: list[Simple]) -> tuple[Query, int]:
    found = read_find(first)
    listing = Query(Ask.LIST, found.files, first.words[:1])
    actions = found.actions or [("print", ())]
    match [kind for kind, _ in actions]:
        case ["print" | "print0" as kind] if rest and rest[0].name == "xargs":
            return _from_xargs(rest[0], found.files, null=kind == "print0"), 1
        case ["print"]:
            return listing, 0
        case ["printf"]:
            return _printed(actions[0][1][0], listing), 0
        case ["exec" | "exec+" as kind]:
            return _applied(_without_braces(actions[0][1]), found.files, each=kind == "exec"), 0
        case ["exec", "print"]:
            return _filtered(_without_braces(actions[0][1]), found.files), 0
        case kinds:
            raise Refused(f"find that does {', '.join(kinds)}")


def _without_braces(words: tuple[Word, ...]) -> Simple:
    if [word.text for word in words].count("{}") != 1 or words[-1].text != "{}" or len(words) < 2:
        raise Refused("find with an -exec whose file is not at its end")
    return Simple(words[:-1])


def _from_xargs(xargs: Simple, files: Files, *, null: bool) -> Query:
    words = list(xargs.arguments)
    options: list[str] = []
    while words and words[0].text.startswith("-"):
        options.append(words.pop(0).text)
    known = {"-0", "--null", "-r"}
    if not words or not set(options) <= known or bool({"-0", "--null"} & set(options)) is not null:
        raise Refused("xargs with options that are not spoken of")
    return _applied(Simple(tuple(words)), files, each=False)


def _printed(form: Word, listing: Query) -> Query:
    asks = {"%f\\n": Ask.NAMES, "%s %p\\n": Ask.SIZES, "%s\\t%p\\n": Ask.SIZES, "%h\\n": Ask.FOLDERS, "%p\\n": Ask.LIST}
    if form.text not in asks:
        raise Refused(f"find printing {form.text!r}")
    return replace(listing, ask=asks[form.text], verb=(*listing.verb, form))


def _filtered(command: Simple, files: Files) -> Query:
    """Return the query of `find -exec grep -q TEXT {} \\; -print`."""
    if command.name not in GREPS or not any(word.text.startswith("-") and "q" in word.text for word in command.words):
        raise Refused("find with two outputs")
    return read_grep(command, replace(files, noun="files") if files.noun == "any" else files)


def _applied(command: Simple, files: Files, *, each: bool) -> Query:
    """Return the query of a command run on files. `each`: once for every file, so that no total or path is printed."""
    verb = command.words[:1]
    if command.name in ("dirname", "basename"):
        if len(command.words) > 1 or (command.name == "basename" and not each):
            raise Refused(f"{command.name} with options")
        return Query(Ask.FOLDERS if command.name == "dirname" else Ask.NAMES, files, verb)
    if files.noun not in ("files", "any"):
        raise Refused(f"{command.name} on {files.noun}")
    untyped, files = files.noun == "any", replace(files, noun="files")
    match command.name:
        case "wc":
            options = read_options(command, flags="lwcm", long_flags={"lines": "l", "words": "w", "bytes": "c"})
            if len(options.flags) != 1 or options.operands:
                raise Refused("wc of several things at once")
            unit = UNITS[next(iter(options.flags))]
            return Query(Ask.TALLY, files, verb + options.words("lwcm"), unit=unit, with_total=not each)
        case "cat" if len(command.words) == 1:
            return Query(Ask.TEXT, files, verb)
        case "ls" if not untyped:
            options = read_options(command, flags="lhd1a")
            if options.operands:
                raise Refused("ls of further files")
            if "l" not in options.flags:
                return Query(Ask.LIST, files, verb)
            return Query(Ask.LONG, files, verb + options.words("l"), unit="human" if "h" in options.flags else "")
        case "du":
            options = read_options(command, flags="hsb")
            if untyped or options.operands:
                raise Refused("du of what may be directories")
            unit = "human" if "h" in options.flags else ("apparent" if "b" in options.flags else "")
            return Query(Ask.USAGE, files, verb + options.words("hb"), unit=unit)
        case name if name in GREPS:
            return read_grep(command, files, each=each)
        case name if name in CHECKSUMS and len(command.words) == 1:
            return Query(Ask.CHECKSUMS, files, verb, unit=name)
        case name:
            raise Refused(f"no words for {name} on files")


def _from_ls(command: Simple) -> Query:
    options = read_options(command, flags="aAlh1", long_flags={"almost-all": "A", "all": "a"})
    if "l" in options.flags:
        return _long_list(command, options)
    if {"a", "h"} & set(options.flags):
        raise Refused("ls with -a or -h")
    if any(word.glob for word in options.operands) or len(options.operands) > 1:
        raise Refused("ls of several things")
    hidden = "A" in options.flags
    files = Files("any" if hidden else "visible", options.operands, direct=True)
    return Query(Ask.NAMES, files, command.words[:1] + options.words("A"))


def _long_list(command: Simple, options: Options) -> Query:
    place = options.operands
    if len(place) != 1 or place[0].glob or place[0].text in (".", "./"):
        raise Refused("ls -l of other than one named directory")
    noun = "any" if {"a", "A"} & set(options.flags) else "visible"
    unit = "human" if "h" in options.flags else ""
    return Query(Ask.LONG, Files(noun, place, direct=True), command.words[:1] + options.words("laAh"), unit=unit)


def _from_tar(command: Simple) -> Query:
    options = read_options(command, flags="tvzjJ", values="f")
    archive = options.values.get("f")
    if "t" not in options.flags or archive is None or archive.glob or archive.text == "-" or options.operands:
        raise Refused("tar that does more than list an archive")
    unit = "long" if "v" in options.flags else ""
    return Query(Ask.ENTRIES, Files("any", (archive,), given=True), command.words[:1] + options.words("tv"), unit=unit)


def _from_du(command: Simple) -> Query:
    options = read_options(command, flags="ahsbckm", values="d", long_values="max-depth")
    if set(options.flags) - set("ahs") or options.values:
        raise Refused("du in a form that is not spoken of")
    roots = options.operands
    if not roots:
        raise Refused("du of the current directory")
    unit = "human" if "h" in options.flags else ""
    verb = command.words[:1] + options.words("ahs")
    if "s" in options.flags and "a" in options.flags:
        raise Refused("du with -a and -s")
    if "s" in options.flags:
        noun = "visible" if any(root.glob for root in roots) else "any"
        return Query(Ask.USAGE, Files(noun, roots, direct=noun == "visible", given=True), verb, unit=unit)
    if len(roots) == 1 and _FILES.match(roots[0].text) and "a" not in options.flags:
        return Query(Ask.USAGE, Files("files", roots, direct=True, given=True), verb, unit=unit)
    if any(root.glob for root in roots):
        raise Refused("du of wildcards, which mixes files and directories")
    return Query(Ask.USAGE, Files("any" if "a" in options.flags else "directories", roots), verb, unit=unit)


def _from_df(command: Simple) -> Query:
    options = read_options(command, flags="hmk")
    units = {"h": "human", "m": "mebibytes", "k": "kibibytes"}
    if len(options.operands) != 1 or options.operands[0].glob or len(options.flags) > 1:
        raise Refused("df of other than one path")
    unit = next((units[flag] for flag in options.flags), "kibibytes")
    return Query(
        Ask.SPACE, Files("any", options.operands, given=True), command.words[:1] + options.words("hmk"), unit=unit
    )


def _from_diff(command: Simple) -> Query:
    options = read_options(command, flags="qrsNu", long_flags={"brief": "q", "recursive": "r", "unified": "u"})
    if len(options.operands) != 2 or any(word.glob or word.text == "-" for word in options.operands):
        raise Refused("diff of other than two paths")
    flags = set(options.flags)
    files = Files("files", options.operands, given=True)
    verb = command.words[:1] + options.words("qrsu")
    if flags == {"q", "r"}:
        return Query(Ask.TREE_DIFFERENCES, files, verb)
    if flags == {"q"}:
        return Query(Ask.DIFFER, files, verb)
    if flags <= {"s", "u"}:
        return Query(Ask.DIFFERENCES, files, verb, unit="unified" if "u" in flags else "")
    raise Refused("diff in a form that is not spoken of")


def _from_text(command: Simple) -> Query:
    """Return the query of a command that reads the text of one file and could as well have got it from `cat`."""
    options = read_options(
        command, flags="" if command.name == "cut" else "nruhfsV", values="df" if command.name == "cut" else "k"
    )
    if len(options.operands) != 1 or options.operands[0].glob or options.operands[0].text == "-":
        raise Refused(f"{command.name} of other than one file")
    files = Files("files", options.operands, given=True)
    text = Query(Ask.TEXT, files, command.words[:1])
    return add_stage(text, Simple(tuple(word for word in command.words if word not in options.operands)))
