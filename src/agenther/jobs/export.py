"""Files for further consumers from a finished job: its store is read again, its runs and rules are not."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import cast

import orjson
from pydantic import ValidationError

from agenther.config import Config, WeightUse
from agenther.errors import UserError
from agenther.jobs.files import hold_folder, write_atomically
from agenther.jobs.lines import LineMaker, size_of_lines
from agenther.jobs.manifest import Summary
from agenther.jobs.outputs import write_outputs
from agenther.jobs.replaced import consumers_of
from agenther.jobs.store import Store
from agenther.jobs.workers import Work, Workers
from agenther.jobs.written import Written
from agenther.llm.counters import load_counter
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.writers import known_consumers


def export(
    out: Path,
    manifest: JsonObject,
    consumers: tuple[str, ...],
    workers: int = 1,
    **told: WeightUse | int | str | None,
) -> Summary:
    """Write the files of some consumers beside those that a job wrote, as if it had been told so at once.

    Args:
        out: folder of a finished job.
        manifest: its manifest.
        consumers: names of consumers.
        workers: processes to use.
        told: `weights`, `max_tokens` and `tokenizer` as in Config, for all files of the folder; None: what the job was told.

    Raises:
        MissingExtra: the library that reads tokenizers is not installed.
        UserError: the folder was made by another version, or is in use; or there is no such tokenizer.
    """
    everyone = known_consumers([*consumers_of(manifest), *consumers])
    try:
        settings = {**cast(JsonObject, manifest["config"]), **{name: v for name, v in told.items() if v is not None}}
        config = Config.model_validate(settings)
        load_counter(config.tokenizer)
        with hold_folder(out), Store(out / "run.sqlite", str(manifest["results_key"]), read_only=True) as store:
            if next(store.runs(), None) is None and cast(dict[str, int], manifest["counts"])["read"]:
                raise UserError(
                    f"{path_text(out)}: its store lacks the runs that its manifest counts", "run the job again"
                )
            written = Written(store.place)
            writing = Work(LineMaker(written, config, everyone), result_size=size_of_lines)
            with Workers(workers, writing) as pool, closing(written):
                summary = write_outputs(store, out, config, partial(pool.map, writing), everyone)
            _count_rows(out, manifest, config, summary)
    except (ValidationError, KeyError) as error:
        raise UserError(
            f"{path_text(out)}: expected the output of this version, found that of another", "run the job again"
        ) from error
    return summary


def _count_rows(out: Path, manifest: JsonObject, config: Config, summary: Summary) -> None:
    counted = summary.to_json()
    told = {
        "config": cast(Json, config.model_dump(mode="json")),
        "rows": counted["rows"],
        "pairs": counted["pairs"],
        "undrawn": counted["undrawn"],
        "lengths": counted["lengths"],
    }
    with write_atomically(out / "manifest.json") as file:
        file.write(orjson.dumps({**manifest, **told}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
