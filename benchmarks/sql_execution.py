"""How many relabelled SQL questions stand when their query is executed again on the database of the runs.

python benchmarks/sql_execution.py INTERCODE [--out docs/measurements/sql-execution.md]

INTERCODE is a folder of InterCode runs with the dump of their databases beside them. Labels are made from the runs' text
alone, as if there were no dump; then each query is executed, and its rows are held against those that the run observed.
Two labels of one goal and query count once.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agenther.conclusions import Outcome, Reason, Rewritten, Score
from agenther.config import Config
from agenther.environments.sql_dump import SqlDump
from agenther.errors import ReadError
from agenther.jobs.inputs import dumps_beside
from agenther.pipeline import relabel
from agenther.readers import READERS
from agenther.stages.parts import rule_parts
from agenther.stages.verify.sql.checks import kept_call
from agenther.stages.verify.sql.execution import CheckExecution, same_rows
from agenther.trajectory import Trajectory
from intervals import wilson


@dataclass
class Executed:
    """A check that votes for all, and remembers how execution would have voted."""

    dumps: tuple[SqlDump, ...]
    votes: dict[tuple[str, str], Score | None] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)

    def __call__(self, rewritten: Rewritten) -> None:
        """Execute the query of a label that all other checks accepted."""
        call = kept_call(rewritten)
        if call is None or (key := (rewritten.proposal.goal, call.query)) in self.votes:
            return
        self.votes[key] = CheckExecution(self.dumps)(rewritten)
        answers = [schema.rows(call.query) for dump in self.dumps for schema in dump.schemas]
        ran = [rows for rows in answers if rows is not None]
        same = any(same_rows(call.rows or (), rows) for rows in ran)
        self.rows["no database runs it" if not ran else "the same rows" if same else "other rows"] += 1


def failed_runs(root: Path) -> Iterable[Trajectory]:
    """Yield the failed runs of a folder, each content once."""
    seen: set[str] = set()
    for path in sorted(root.glob("sql/*/*")):
        for run in READERS["intercode"].read(path):
            if not isinstance(run, ReadError) and run.success is False and run.key not in seen:
                seen.add(run.key)
                yield run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("intercode", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    config = Config(domains=("sql",))
    executed = Executed(tuple(SqlDump(path) for path in dumps_beside([arguments.intercode / "sql"])))
    rules = rule_parts(config)
    parts = replace(rules, checks_of=lambda domain: (*rules.checks_of(domain), executed))
    n_runs = n_labels = 0
    for run in failed_runs(arguments.intercode):
        result = asyncio.run(relabel(run, parts, config))
        if result.detection is not None and result.detection.outcome is Outcome.FAILED:
            n_runs += 1
            n_labels += len(result.examples)
    text = report(executed, n_runs, n_labels)
    if arguments.out:
        arguments.out.write_text(text)
    print(text)


def report(executed: Executed, n_runs: int, n_labels: int) -> str:
    """Say what stood, and why the rest did not."""
    votes = executed.votes.values()
    n = len(votes)
    stand = sum(vote is not None and vote.value == 1.0 for vote in votes)
    refused = Counter(why(vote) for vote in votes if vote is not None and vote.value != 1.0)
    rows, same = executed.rows, executed.rows["the same rows"]
    lines = [
        "# SQL labels, executed\n",
        "Written by `python benchmarks/sql_execution.py INTERCODE`. Labels are made from the text of the runs alone, then their",
        "queries are executed on the dump that lies beside the runs (SQLite, translated from MySQL by sqlglot).\n",
        f"- Failed runs: {n_runs}; labels: {n_labels}; distinct pairs of goal and query: {n}.",
        "  Intervals: 95 % Wilson over these pairs.",
        f"- The query gives the rows that the run observed: {same} of {n} = {wilson(same, n)};",
        f"  other rows: {rows['other rows']}; no database runs it: {rows['no database runs it']}.",
        f"- The label stands, rows and meaning: {stand} of {n} = {wilson(stand, n)}.",
        "  Meaning is what only the tables tell: a tie at a limit, a join that loses or repeats rows, a number stored as text,",
        "  another table of the same name.",
        f"- Nothing to execute on: {sum(vote is None for vote in votes)}.\n",
        "| refused because | labels |",
        "|---|--:|",
        *(f"| {reason} | {k} |" for reason, k in refused.most_common()),
        "\nWithout the dump those would have been written: this is what execution adds to reading.",
    ]
    return "\n".join(lines) + "\n"


def why(vote: Score) -> str:
    """Return a reason without the names of tables and columns."""
    reason = vote.reason or Reason.UNSCORED
    for told in (
        "other rows than observed",
        "a tie at the limit",
        "an extreme that is null",
        "the join loses rows",
        "is no key",
    ):
        if told in vote.explanation:
            return f"{reason.value}: {told}"
    return reason.value


if __name__ == "__main__":
    main()
