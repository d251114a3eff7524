"""The page of `validity.py`: tables of figures, a section for each half."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from validity_labels import Labelled
from validity_methods import METHODS, Outcome
from validity_pairs import Pair
from validity_stats import share

HEAD = """# How good the verdict is

`make validity` measures it: pairs of a question that a person wrote (BFCL v4, `multi_turn_base`, 200 tasks) and a run. BFCL's
checker says whether the run is right; our proposer plays no part. *First request*: the first user turn and the calls for it;
*whole conversation*: all turns, read together. False accepts: share of the wrong pairs that are accepted. Coverage: share of the
right pairs that are accepted; the others are refused, or unscored where the question or the run cannot be read. In brackets
95 %, clustered by task: resampled tasks, no narrower than Clopper-Pearson on the effective number of pairs. *Tasks*: those with
any false accept, and the upper bound of their share, which assumes nothing about pairs of one task. Near misses are wrong by
construction, all else is as the checker says.

"""


@dataclass(frozen=True)
class Judged:
    """A pair and what each method says of it."""

    unit: str
    pair: Pair
    said: dict[str, Outcome]

    def is_accepted(self, method: str) -> bool:
        """Tell whether a method accepts it."""
        return self.said[method].verdict == "accepted"


def summary(judged: Sequence[Judged], labels: Sequence[Labelled], about: str) -> str:
    """Return the section of a half, without its heading."""
    lines = [about, ""]
    for unit in dict.fromkeys(one.unit for one in judged):
        own = [one for one in judged if one.unit == unit]
        lines += [f"### {unit.capitalize()}", "", *by_method(own), "", *by_kind(own), ""]
    return "\n".join([*lines, "### Labels of the failed runs", "", *by_label(labels), ""])


def by_method(judged: Sequence[Judged]) -> list[str]:
    rows = [
        "| method | false accepts | tasks | coverage | unscored, of right pairs | wrong, of accepted |",
        "|---|---|---|---|---|---|",
    ]
    for method in METHODS:
        wrong = share((one.pair.task, one.is_accepted(method)) for one in judged if not one.pair.valid)
        right = share((one.pair.task, one.is_accepted(method)) for one in judged if one.pair.valid)
        unread = [one.said[method].verdict == "unscored" for one in judged if one.pair.valid]
        among = share((one.pair.task, not one.pair.valid) for one in judged if one.is_accepted(method))
        tasks = f"{wrong.hit_clusters}/{wrong.clusters}, ≤ {wrong.worst:.1%}"
        rows.append(
            f"| {method} | {wrong.text()} | {tasks} | {right.text()} | {sum(unread)}/{len(unread)} | {among.text()} |"
        )
    return rows


def by_kind(judged: Sequence[Judged]) -> list[str]:
    main = next(iter(METHODS))
    rows = ["| kind of run, by replay | false accepts | coverage |", "|---|---|---|"]
    for kind in dict.fromkeys(one.pair.kind for one in judged):
        own = [one for one in judged if one.pair.kind == kind]
        wrong = share((one.pair.task, one.is_accepted(main)) for one in own if not one.pair.valid)
        right = share((one.pair.task, one.is_accepted(main)) for one in own if one.pair.valid)
        rows.append(f"| {kind} | {wrong.text()} | {right.text()} |")
    return rows


def by_label(labels: Sequence[Labelled]) -> list[str]:
    rows = ["| label | right |", "|---|---|"]
    for method in dict.fromkeys(one.method for one in labels):
        rows.append(f"| {method} | {share((one.task, one.right) for one in labels if one.method == method).text()} |")
    return rows


def page(old: str, heading: str, section: str, order: Sequence[str]) -> str:
    """Return the page with a section written anew, the others and what stands behind them kept as they are."""
    found: dict[str, str] = dict(_sections(old))
    found[heading] = section.strip() + "\n"
    names = [*(name for name in order if name in found), *(name for name in found if name not in order)]
    return HEAD + "\n".join(f"## {name}\n\n{found[name].strip()}\n" for name in names)


_sections: Callable[[str], list[tuple[str, str]]] = re.compile(
    r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
).findall
