"""Tasks as they are: one record a line, decided by `agenther.tasks.check.check`."""

from __future__ import annotations

from typing import cast

from agenther.record import JsonObject
from agenther.tasks.base import Rendered, Task


class JsonLines:
    """The neutral form."""

    name = "jsonl"
    about = "the neutral records, for checkers of your own or `agenther.tasks.check.check`"
    shared: tuple[str, ...] = ("tasks.jsonl",)
    readme = """# Tasks

One task a line in `tasks.jsonl`: `goal`, `told_to` (the agent, or a simulated user whose instruction it is), `environment`,
`tools`, `checker` with its `spec`, `oracle` (what solves it), `controls` (what was tried before it was written), `evidence` (what
the checker rests on), `source`.

```python
from agenther.tasks.base import Task
from agenther.tasks.check import check

tasks = [Task.model_validate_json(line) for line in open("tasks.jsonl", encoding="utf-8")]
print(check(tasks[0], answer=..., calls=[...]).value)
```

An environment of kind `recorded` answers the calls of the recorded run and no others. Of kind `original`, it is the one that the
benchmark sets up for `initial.task_id`: nothing of its state is in this file.
"""

    def render(self, task: Task, number: int) -> Rendered:
        """Return the record."""
        del number
        return Rendered(rows={"tasks.jsonl": cast(JsonObject, task.model_dump(mode="json"))})
