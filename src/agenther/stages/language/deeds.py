"""Did a call only look, as far as anything tells: its command, statement, request, program, page, name or description.

For goals that claim a change: what is known to only look is none. A call that nothing tells about may have changed something;
whether it changed what a goal says is for others to ask.
"""

from __future__ import annotations

import ast
import re

from agenther.stages.detect.signs import answer_call
from agenther.stages.language.code.edits import Kind, deed_of
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.dialogue import READING
from agenther.stages.language.shell.calls import answer_index, command_of
from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.shell.output import is_clean
from agenther.stages.language.shell.wrappings import unwrap
from agenther.stages.language.shop_pages import listed_products, product_page
from agenther.stages.language.sql.parse import is_sql
from agenther.stages.language.web import Visit, visits
from agenther.stages.language.web_actions import CHOOSES, CLICKS, ENTERS, LOOKS, TYPES, came_to_nothing, may_change
from agenther.stages.language.words import is_phrase_of_change, split_name, stem, tokens
from agenther.trajectory import Step, ToolCall, Trajectory

LOOKING = READING | frozenset(
    """
    analyze analyse browse compare compute convert detail details detect discover enumerate estimate examine explain explore
    forecast go goto google has history info inspect inventory is locate lookup navigate observe peek ping predict preview
    recommend screenshot scroll see snapshot status suggest summarize tell track translate validate visit wait weather wikipedia
    """.split()
)
"""First words of calls that look, and nouns for what is only looked at (`order_status`)."""
_CHANGING = frozenset(
    """
    accept activate add adjust append apply approve assign cancel change clear confirm create deactivate decline delete disable
    drop edit enable grant insert install make mark merge modify move mute put reject remove rename replace reset restart restore
    revoke rotate save send set subscribe uninstall unsubscribe update upload write
    """.split()
)
"""First words of names that are no nouns: `update_details` changes details."""
_SAYING = frozenset({"display", "give", "list", "output", "provide", "report", "show"})
"""Further first words of descriptions of tools that look."""
_NAMESPACE = re.compile(r".*(?:__|[./:])(?=\w)", re.DOTALL)
_METHODS = ("method", "http_method", "request_method", "verb")
_ASKING_METHODS = frozenset({"get", "head", "options"})
_OPERATIONS = ("action", "operation", "command", "op")
"""Arguments whose first word may be the true name of what is done."""
_QUERY = ("query", "sql", "statement", "sql_query")
_DATABASE = re.compile(r"sql|query|database|(?:\A|_)db(?:_|\Z)", re.IGNORECASE)
_CODE = ("code", "python")
_LOOKING_COMMAND = re.compile(
    r"\A(?:sudo )?(?:"
    r"(?:git|docker|podman|kubectl|helm|systemctl|service|apt|apt-get|apt-cache|dpkg|pip3?|npm|yarn|conda|brew|cargo|go)"
    r"(?: -\S+)* (?:blame|cat-file|describe|diff|get|grep|help|images|info|inspect|is-active|list|list-\w+|log|logs|ls"
    r"|ls-files|policy|ps|search|show|status|top|tree|version|view|why)\b"
    r"|(?:python3? -m )?(?:pytest|unittest)\b|(?:npm|yarn|cargo|go|make) test\b"
    r"|(?:mypy|pyright|pylint|flake8|ruff check|history|alias|env|type|man|help|journalctl|dmesg|lsblk|top|netstat|ss|ip a"
    r"|ip addr|ifconfig|nslookup|dig|ping)\b"
    r"|\S+ (?:--version|--help|-V)\Z"
    r"|curl(?!.*\s(?:-X ?(?!GET)|--request (?!GET)|-d|--data|-F|--form|-T|-[a-zA-Z]*[oO]\b|--output|--remote))"
    r")"
)
"""Commands that look, beside those of `shell.effects`, which must be sure."""
_DISCARDED = re.compile(r"\d?>{1,2}\s*/dev/null|\d?>&\d")
_PARTS = re.compile(r"\s*(?:&&|\|\||[;|\n])\s*")
_READING_STATEMENT = re.compile(
    r"\s*(?:SELECT|SHOW|DESC|DESCRIBE|EXPLAIN|PRAGMA|USE|HELP|WITH|VALUES)\b", re.IGNORECASE
)
_WRITING_INSIDE = re.compile(r"\b(?:INTO|INSERT|UPDATE\s+\w+\s+SET|DELETE\s+FROM|MERGE)\b", re.IGNORECASE)
_STRINGS = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`|--[^\n]*")
_PURE = frozenset(
    """
    abs all any append bool count dict enumerate endswith extend filter float format index int isinstance items join keys len
    list lower map max min print range repr round rstrip set sort sorted split startswith str strip sum tuple type upper
    values zip
    """.split()
)
_PURE_MODULES = frozenset("datetime json math random re statistics".split())


def why_no_change(trajectory: Trajectory, step: Step, number: int) -> str | None:
    """Return what tells that a call changed nothing; None when it may have changed something.

    Args:
        trajectory: the run.
        step: a step of its agent.
        number: index of the call in the step.
    """
    call = step.tool_calls[number]
    if answer_call(step) == number:
        return "it only hands in an answer"
    if (command := command_of(call)) is not None:
        return _of_command(step, number, command)
    if statements := _statements(call):
        return "its statement only reads" if all(map(_only_reads, statements)) else None
    if (code := call.text(*_CODE)) is not None and (looks := _is_looking_program(code)) is not None:
        return "its program only reads" if looks else None
    if (method := call.text(*_METHODS)) is not None:
        return f"it asks with {method}" if method.casefold() in _ASKING_METHODS else None
    deed = deed_of(step, number).kind
    if deed is not Kind.UNKNOWN:
        return {Kind.READ: "it only reads", Kind.NOTHING: "its answer says that nothing was edited"}.get(deed)
    visit = next((one for one in visits(trajectory) if one.step is step), None)
    if visit is not None and visit.action is not None and visit.action.kind in _BROWSING:
        return _of_visit(visit)
    if call.function_name.casefold() in CLICKS and _shows_products(step, number):
        return "its click only shows products"
    return _of_name(trajectory, call)


_BROWSING = CLICKS | LOOKS | TYPES | CHOOSES | ENTERS


def _statements(call: ToolCall) -> list[str]:
    """Return the SQL of a call; a text that merely begins like a statement is none."""
    texts = [call.text(*_QUERY), *([call.arguments] if not call.values else [])]
    if _DATABASE.search(call.function_name):
        texts += [value for value in call.values.values() if isinstance(value, str)]
    return [text for text in texts if text is not None and is_sql(text)]


def _of_command(step: Step, number: int, command: str) -> str | None:
    index = answer_index(step, number)
    printed = None if index is None else unwrap(step.observations[index].content, command)
    if printed is not None and printed.text.strip() and (printed.complained or not is_clean(printed.text)):
        return "its command complains, or prints more than anyone reads"
    if effect_of(command, "" if printed is None else printed.text) is not Effect.CHANGES:
        return "its command only reads"
    shown = _DISCARDED.sub("", command).strip()
    parts = [part for part in _PARTS.split(shown) if part]
    looks = all(_LOOKING_COMMAND.match(part) or effect_of(part, "") is not Effect.CHANGES for part in parts)
    return "its command only looks" if looks and ">" not in shown else None


def _only_reads(statements: str) -> bool:
    """Tell whether each statement of a text begins as one that reads, and writes nowhere inside."""
    bare = _STRINGS.sub("''", statements)
    return all(
        _READING_STATEMENT.match(one) and not _WRITING_INSIDE.search(one) for one in bare.split(";") if one.strip()
    )


def _is_looking_program(code: str) -> bool | None:
    """Tell whether a Python program calls nothing but what computes, prints and looks; None when it is no Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return all(_is_looking_call(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_looking_call(node: ast.Call) -> bool:
    match node.func:
        case ast.Name(id="open"):
            modes = [
                one.value
                for one in (*node.args[1:2], *(k.value for k in node.keywords))
                if isinstance(one, ast.Constant)
            ]
            return not any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)
        case ast.Attribute(value=ast.Name(id=module)) if module in _PURE_MODULES:
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _PURE or _looks_by(name) is True
        case _:
            return False


def _of_visit(visit: Visit) -> str | None:
    if came_to_nothing(visit):
        return "its action on the page came to nothing"
    return "its action on the page only looks" if may_change(visit) is None else None


def _shows_products(step: Step, number: int) -> bool:
    index = answer_index(step, number)
    page = "" if index is None else step.observations[index].content
    return product_page(page) is not None or bool(listed_products(page))


def _of_name(trajectory: Trajectory, call: ToolCall) -> str | None:
    operation = call.text(*_OPERATIONS)
    for name in (call.function_name, *(operation or "").split()[:1]):
        if _looks_by(name) is True:
            return f"{name[:60]!r} only looks"
    if _looks_by(call.function_name) is False:
        return None
    described = (text for name, text in map(description_of, trajectory.tools) if name == call.function_name)
    words = tokens(next(described, ""))
    if is_phrase_of_change(words):
        return None
    first = stem(next(iter(words), ""))
    return f"{call.function_name!r} only looks, as it is described" if first in LOOKING | _SAYING else None


def _looks_by(name: str) -> bool | None:
    """Tell by a name whether a call looks (True) or changes something (False); None when it does not say."""
    words = [
        part.casefold() for word in re.split(r"[^\w]|_", _NAMESPACE.sub("", name)) if word for part in split_name(word)
    ]
    if not words or words[0] in _CHANGING or is_phrase_of_change(words):
        return False if words else None
    return True if LOOKING.intersection(words) else None
