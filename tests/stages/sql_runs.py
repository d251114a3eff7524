"""Invented runs of an agent that asks a database of bakeries."""

from __future__ import annotations

import asyncio

import orjson

from agenther.conclusions import Proposal, Refusal, Result, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.extract.sql import claims
from agenther.stages.parts import rule_parts
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.relabel.sql.compose import compose
from agenther.stages.verify.sql.databases import Databases
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

OLD = "Which courier carried the heaviest parcel in 2019?"
TABLES = ("SHOW TABLES", "[('bakery',), ('loaf',)]")
BAKERY = (
    "DESCRIBE bakery",
    "[('bakery_id', 'int', 'NO', 'PRI', None, ''), ('name', 'text', 'YES', '', None, ''), "
    "('town', 'text', 'YES', '', None, ''), ('opening_year', 'int', 'YES', '', None, '')]",
)
LOAF = (
    "DESCRIBE loaf",
    "[('loaf_id', 'int', 'NO', 'PRI', None, ''), ('bakery_id', 'int', 'YES', 'MUL', None, ''), "
    "('grain', 'text', 'YES', '', None, ''), ('weight', 'int', 'YES', '', None, ''), "
    "('price', 'text', 'YES', '', None, '')]",
)
COUNT = ("SELECT COUNT(*) FROM loaf WHERE grain = 'spelt' AND weight > 700", "[(4,)]")
DUMP = """
CREATE USER 'x'@'%' IDENTIFIED BY 'y';
CREATE DATABASE `bread`; USE `bread`;
CREATE TABLE `bakery` (`bakery_id` int NOT NULL AUTO_INCREMENT, `name` text COLLATE utf8mb4_general_ci, `town` text,
  `opening_year` int DEFAULT NULL, PRIMARY KEY (`bakery_id`)) ENGINE=InnoDB;
LOCK TABLES `bakery` WRITE;
INSERT INTO `bakery` VALUES (1,'Crumb','Ems ',1990),(2,'O\\'Rye','Oda',2004),(3,'Kiln','Oda',2004);
CREATE TABLE `loaf` (`loaf_id` int NOT NULL, `bakery_id` int, `grain` text, `weight` int, `price` text,
  PRIMARY KEY (`loaf_id`), FOREIGN KEY (`bakery_id`) REFERENCES `bakery` (`bakery_id`));
INSERT INTO `loaf` VALUES (1,1,'spelt',750,'4'),(2,1,'rye',500,'10'),(3,2,'spelt',900,'5'),(4,2,'oat',-3,NULL);
"""


def turn(number: int, query: str, answer: str, thought: str | None = None) -> Step:
    """Return a turn with one query."""
    call = ToolCall(
        tool_call_id=f"c{number}", function_name="run_sql", arguments=orjson.dumps({"query": query}).decode()
    )
    observed = Observation(content=answer, source_call_id=call.tool_call_id)
    return Step(step_id=number, source="agent", reasoning=thought, tool_calls=(call,), observations=(observed,))


def run(*queries: tuple[str, ...] | Step, goal: str = OLD, answer_by: str = "action") -> Trajectory:
    """Return a failed run of queries with their answers."""
    steps = [Step(step_id=1, source="user", message=goal)]
    for number, query in enumerate(queries, start=2):
        steps.append(query if isinstance(query, Step) else turn(number, *query))
    return Trajectory(
        id="run/1",
        source=Source(path="runs.json", format="test", index=0),
        goal=goal,
        goal_at=(Span(step=1, field="message", start=0, end=len(goal)),),
        answer_by=answer_by,  # type: ignore[arg-type]
        steps=tuple(steps),
        success=False,
        label_source="test",
    )


def outcomes(trajectory: Trajectory) -> list[Proposal | Refusal]:
    """Return what the composer makes of a run."""
    return list(compose(trajectory, tuple(claims(trajectory))))


def goals(*queries: tuple[str, ...] | Step, goal: str = OLD) -> list[str]:
    """Return the goals that the composer offers."""
    return [o.goal for o in outcomes(run(*queries, goal=goal)) if isinstance(o, Proposal)]


def refusals(*queries: tuple[str, ...] | Step) -> list[str]:
    """Return why the composer offers no goal."""
    return [o.detail for o in outcomes(run(*queries)) if isinstance(o, Refusal)]


def rewritten(trajectory: Trajectory) -> Rewritten:
    """Return the first goal's run as it would be trained on."""
    proposal = next(o for o in outcomes(trajectory) if isinstance(o, Proposal))
    made = rewrite(trajectory, proposal)
    assert isinstance(made, Rewritten), made
    return made


def relabeled(trajectory: Trajectory, databases: tuple[Databases, ...] = ()) -> Result:
    """Return what the whole pipeline makes of a run."""
    config = Config(domains=("sql",))
    return asyncio.run(relabel(trajectory, rule_parts(config, databases), config))
