"""One job: read inputs, conclude about every run, keep all of it in the store, write the output folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agenther.config import Config
from agenther.errors import ConfigError, ReadError, UserError
from agenther.jobs.asking import Asking
from agenther.jobs.conclude import Concluded, Concluder, pack, packed_size, unpack
from agenther.jobs.files import hold_folder, remove
from agenther.jobs.inputs import Inputs, dumps_beside, existing_files, labelled, map_reader, read_files
from agenther.jobs.lines import LineMaker, size_of_lines
from agenther.jobs.listing import Listing
from agenther.jobs.manifest import Summary, file_mark, write_manifest
from agenther.jobs.outputs import write_outputs
from agenther.jobs.process import Processed, Processor
from agenther.jobs.replaying import replays_of
from agenther.jobs.store import Occurrence, Store
from agenther.jobs.workers import Work, Workers
from agenther.jobs.written import Written
from agenther.llm.counters import load_counter
from agenther.readers.base import Item, Reader
from agenther.readers.discover import PRODUCTS, SIDES, find_inputs, shown_name
from agenther.readers.labels import Labeller
from agenther.readers.records import ItemBuilder, Piece
from agenther.record import Json, JsonObject, content_key
from agenther.stages.parts import Replaying
from agenther.texts import path_text
from agenther.trajectory import Trajectory
from agenther.versions import versions
from agenther.writers import DEFAULT

if TYPE_CHECKING:
    from agenther.llm.ledger import Ledger

Tick = Callable[[], None]
Watch = Callable[["Ledger"], None]
Concluding = Callable[[Iterable[Piece]], Generator[Concluded]]
"""Concludes about pieces of the input, perhaps in other processes, in their order."""


@dataclass(frozen=True)
class Job:
    """What to read, where to write, and how; `config` alone decides what is concluded."""

    inputs: tuple[str, ...]
    out: Path
    config: Config = field(default_factory=Config)
    format: str | None = None
    labels: Path | None = None
    limit: int | None = None
    workers: int = 1
    strict: bool = False
    map_file: Path | None = None
    """The map by which all inputs are read, instead of a format."""
    asking: Asking = field(default_factory=Asking)
    """How models are asked, where the settings name any."""
    consumers: tuple[str, ...] = DEFAULT
    """Whom the training files are for."""
    environment: str | None = None
    """`NAME` or `NAME=FILE`: environment of runs that name none, and their initial states by task id."""
    policy: Path | None = None
    """File of side effects that refuse a label; None: the default one."""


def execute(job: Job, tick: Tick = lambda: None, watch: Watch = lambda _: None) -> Summary:
    """Run a job to its end, going on where an earlier one of the same settings stopped.

    Until all runs are done, the output folder stays as an earlier job left it; while its files are replaced it has no
    manifest.

    Args:
        job: the job.
        tick: called once for every piece of the input that is done: a run, or what is none.
        watch: is given what counts the cost of models, where any is asked, before the first request.

    Raises:
        ReadError: with `strict`, the first input that cannot be read.
        UserError: inputs, labels or output folder are unusable.
    """
    started, cpu = time.monotonic(), time.process_time()
    paths = existing_files(job.inputs, job.out)
    load_counter(job.config.tokenizer)
    labeller, reader = Labeller(job.labels), map_reader(job.map_file, job.format)
    databases = dumps_beside(paths)
    replaying, replay_mark = replays_of(job.config, job.environment, job.policy)
    marks: list[JsonObject] = [{**file_mark(path), "path": shown_name(path)} for path in paths]
    if job.map_file is not None:
        marks.append({**file_mark(job.map_file), "role": "map"})
    key = results_key(job.config, databases, replay_mark)
    refuse_foreign_folder(job.out)
    with hold_folder(job.out), Store(job.out / "run.sqlite", key) as store:
        store.start()
        listing = Listing(store, job.limit, strict=job.strict, redacted=job.config.redact)
        pieces = _pieces(job, paths, reader)
        if job.labels is not None:
            pieces = labelled(map(ItemBuilder(), pieces), labeller)
        written = Written(store.place)
        is_stored = store.has if job.workers == 1 else written.has
        conclude = Concluder(is_stored, Processor(job.config, databases, replaying))
        concluding = Work(conclude, pack, unpack, packed_size)
        writing = Work(LineMaker(written, job.config, job.consumers), result_size=size_of_lines)
        with Workers(job.workers, concluding, writing) as workers, closing(written):
            if job.config.asks_models:
                open_runs = _open_runs(map(ItemBuilder(), pieces), listing, store, tick)
                spent = _ask(job, databases, replaying, open_runs, store, tick, watch)
            else:
                spent = _Spent()
                _conclude(partial(workers.map, concluding), pieces, listing, store, tick)
            remove(job.out / "manifest.json")
            store.keep()
            summary = write_outputs(store, job.out, job.config, partial(workers.map, writing), job.consumers)
        store.finish()
        if job.labels is not None and job.limit is None:
            summary.unmatched_labels = labeller.unmatched()
            summary.counts["labels_unmatched"] = len(summary.unmatched_labels)
        if reader is not None and job.limit is None:
            summary.unmatched_paths = reader.unmatched()
        if spent.ledger is not None:
            summary.counts["open"], summary.ledger = spent.n_open, spent.ledger
            summary.batch = job.asking.batch
        timings: JsonObject = {
            "wall_s": round(time.monotonic() - started, 3),
            "cpu_s": round(time.process_time() - cpu + workers.cpu_s, 3),
            "workers": job.workers,
        }
        write_manifest(job.out, job.config, key, marks, summary, timings)
    return summary


class _Spent(NamedTuple):
    """What concluding about the runs of a job left over."""

    n_open: int = 0
    """Runs that must wait for a budget or a batch."""
    ledger: JsonObject | None = None
    """What was paid for models; None where none is asked."""


def _conclude(work: Concluding, pieces: Iterator[Piece], listing: Listing, store: Store, tick: Tick) -> None:
    """List every piece of the input and store what is concluded about it: no more of them than the list has room for."""
    while listing.room != 0 and _keep(work(islice(pieces, listing.room)), listing, store, tick):
        continue


def _keep(done: Generator[Concluded], listing: Listing, store: Store, tick: Tick) -> int:
    """List pieces of the input, store what was concluded about them as it comes, and count them."""
    n_pieces = 0
    with closing(done):
        for found, texts in done:
            listing.add(found)
            if texts is not None:
                store.put(texts)
            tick()
            n_pieces += 1
    return n_pieces


def _open_runs(items: Iterable[Item], listing: Listing, store: Store, tick: Tick) -> Iterator[Trajectory]:
    """List every item of the input and yield the runs that still lack a Result."""
    for item in items:
        if isinstance(item, ReadError):
            listing.add(item)
            tick()
            continue
        listing.add(Occurrence.of(item))
        if store.has(item.key):
            tick()
        else:
            yield item
        if listing.room == 0:
            return


def _ask(
    job: Job,
    databases: tuple[Path, ...],
    replaying: Replaying | None,
    runs: Iterable[Trajectory],
    store: Store,
    tick: Tick,
    watch: Watch,
) -> _Spent:
    """Conclude about runs by asking models."""
    from agenther.jobs.asked import Asked

    with closing(Asked(job.config, job.asking, job.out, databases, replaying)) as asked:
        watch(asked.ledger)
        n_open = 0
        with closing(asked.map(runs)) as done:
            for texts in done:
                if texts is None:
                    n_open += 1
                else:
                    store.put(texts)
                tick()
        return _Spent(n_open, asked.ledger.to_json())


def refuse_foreign_folder(out: Path) -> None:
    """Raise UserError when a folder that no job of ours made holds a file that we would overwrite."""
    if (out / "run.sqlite").exists():
        return
    foreign = next((name for name in sorted(PRODUCTS | SIDES) if (out / name).exists()), None)
    if foreign is not None:
        raise UserError(
            f"{path_text(out)}: expected a folder without {foreign}, or one of an earlier job", "name another OUT"
        )


def run(
    paths: Inputs, config: Config | None = None, *, format: str | None = None, reader: Reader | None = None
) -> Iterator[Processed | ReadError]:
    """Relabel runs without writing anything: yield, in input order, each run with its Result, or a read error.

    Args:
        paths: files, folders or globs; one or several.
        config: settings; defaults when None.
        format: name of the format; sniffed when None.
        reader: reads all files, whatever they look like.

    Raises:
        ConfigError: the settings ask models, whose answers need an output folder that keeps them.
    """
    if config is not None and config.asks_models:
        raise ConfigError("run: expected settings of rules alone, found some that ask models", "use execute(Job(...))")
    files = existing_files(paths)
    settings = config or Config()
    process = Processor(settings, dumps_beside(files), replays_of(settings).replaying)
    for item in read(files, format=format, reader=reader):
        yield item if isinstance(item, ReadError) else process(item)


def read(paths: Inputs, *, format: str | None = None, reader: Reader | None = None) -> Iterator[Item]:
    """Yield every run of some files, and an error for each piece that is none; arguments as for `run`."""
    for file in read_files(paths, format=format, reader=reader):
        yield from file.items


def count_pieces(job: Job) -> int:
    """Count the pieces of a job's input without reading lines: with a limit, up to the run at which it ends."""
    n_pieces = n_runs = 0
    for piece in _pieces(job, find_inputs(job.inputs, job.out), map_reader(job.map_file, job.format)):
        n_pieces += 1
        n_runs += not isinstance(piece, ReadError)
        if n_runs == job.limit:
            break
    return n_pieces


def _pieces(job: Job, paths: Iterable[Path], reader: Reader | None) -> Iterator[Piece]:
    return chain.from_iterable(file.pieces for file in read_files(paths, format=job.format, reader=reader))


def results_key(config: Config, databases: tuple[Path, ...], replay_mark: Json = None) -> str:
    """Return the key of everything besides a run's content that decides its Result."""
    dumps = [file_mark(path)["sha256"] for path in databases]
    return content_key([config.per_run_key, versions(), dumps, replay_mark])
