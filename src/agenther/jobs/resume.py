"""A job written down, so that another command takes it up: who brings the answers of a batch need not repeat it."""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import Field, ValidationError

from agenther.config import Config
from agenther.errors import UserError
from agenther.jobs.asking import Asking
from agenther.jobs.files import remove, write_atomically
from agenther.jobs.job import Job
from agenther.llm.models import Model
from agenther.record import Record
from agenther.texts import path_text
from agenther.writers import DEFAULT

JOB = "job.json"


class _Written(Record):
    """A job as it is written down; paths are absolute."""

    inputs: tuple[str, ...]
    config: Config
    models: tuple[Model, ...] = Field(description="with the names of the variables that hold their keys, not the keys")
    format: str | None
    labels: str | None
    limit: int | None
    map_file: str | None
    consumers: tuple[str, ...] = DEFAULT
    environment: str | None = None
    policy: str | None = None


def remember(job: Job) -> None:
    """Write down a job that waits for a batch, and whose inputs are files, in its output folder; after any other, forget it.

    Raises:
        UserError: a name cannot be written down.
        WriteError: the folder cannot be written.
    """
    if not job.asking.batch:
        remove(job.out / JOB)
        return
    written = _Written(
        inputs=tuple(str(Path(given).absolute()) for given in job.inputs),
        config=job.config,
        models=tuple(job.asking.models.values()),
        format=job.format,
        labels=None if job.labels is None else str(job.labels.absolute()),
        limit=job.limit,
        map_file=None if job.map_file is None else str(job.map_file.absolute()),
        consumers=job.consumers,
        environment=job.environment,
        policy=None if job.policy is None else str(job.policy.absolute()),
    )
    try:
        text = orjson.dumps(written.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:
        raise UserError(
            f"{path_text(job.out / JOB)}: expected names of files in UTF-8, found one that is none",
            "rename the input, or name the folder that it lies in",
        ) from error
    with write_atomically(job.out / JOB) as file:
        file.write(text)


def recall(out: Path) -> Job:
    """Return the job that was written down in an output folder: it notes requests for a batch.

    Raises:
        UserError: there is none.
    """
    try:
        written = _Written.model_validate_json((out / JOB).read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(
            f"{path_text(out / JOB)}: expected a job, found {'none' if isinstance(error, OSError) else 'something else'}",
            "run `agenther run INPUT -o OUT --mode llm --batch ...` again: answers that came are kept",
        ) from error
    return Job(
        inputs=written.inputs,
        out=out,
        config=written.config,
        format=written.format,
        labels=None if written.labels is None else Path(written.labels),
        limit=written.limit,
        map_file=None if written.map_file is None else Path(written.map_file),
        asking=Asking({model.name: model for model in written.models}, batch=True),
        consumers=written.consumers,
        environment=written.environment,
        policy=None if written.policy is None else Path(written.policy),
    )
