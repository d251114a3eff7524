"""All checks of the SQL domain but the one that executes queries."""

from __future__ import annotations

from agenther.stages.protocols import Check
from agenther.stages.verify.sql import checks
from agenther.stages.verify.sql.novelty import check_sql_novelty, check_sql_thoughts

CHECKS: tuple[Check, ...] = (*checks.CHECKS, check_sql_novelty, check_sql_thoughts)
