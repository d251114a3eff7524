"""`agenther batch`: the requests of a job to language models as files, and their answers back."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import orjson

from agenther.cli.run import WAITING
from agenther.cli.terminal import make_console, one_line
from agenther.errors import UserError
from agenther.jobs.manifest import Summary
from agenther.jobs.report import print_summary
from agenther.llm.batch import BatchFile, Imported, export_requests, import_answers
from agenther.llm.cache import ANSWERS, Cache
from agenther.llm.models import Model, load_models
from agenther.readers.discover import BATCH


@click.group("batch", short_help="Ask models by files: write requests, take answers.")
def command() -> None:
    """Ask language models by files instead of one by one, as OpenAI Batch and `vllm run-batch` do.

    \b
    agenther run traces/ -o out --mode llm --batch ...   note what must be asked
    agenther batch export out                            write the requests to out/batch
    agenther batch import out results.jsonl              take the answers

    Each import brings the runs one question further, so the last two are repeated until nothing waits.
    """


@command.command("export", short_help="Write the requests that wait to files.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--dir", "folder", type=click.Path(path_type=Path), metavar="D", help="Folder to write to; OUT/batch.")
@click.option(
    "--models",
    "models_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Names at their servers, for models that the program does not know.",
)
@click.option("--again", is_flag=True, help="Write also the requests that were exported already and have no answer.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export(out: Path, folder: Path | None, models_file: Path | None, again: bool, as_json: bool) -> None:
    """Write the requests that wait in OUT as OpenAI Batch JSONL, a file for each model.

    A request is written once: those whose answers are on their way are left out, unless --again is given.
    """
    with _open_answers(out) as cache:
        sent = len(cache.waiting(sent=True))
        names = sorted({model for which in (False, True) for model, _ in cache.waiting(sent=which)})
        models = {**load_models(names, models_file), **({} if models_file else _models_of(out))}
        files = export_requests(cache, models, folder or out / BATCH, again=again)
    if as_json:
        _print_json({"files": [_shown(file) for file in files], "exported_before": sent})
        return
    for file in files:
        click.echo(f"{file.requests:7} requests to {one_line(file.model, 60)}: {one_line(str(file.path), 200)}")
    if not files:
        click.echo("no request waits to be exported")
    if sent and not again:
        click.echo(f"{sent:7} exported before have no answer yet; --again writes them once more")


@command.command("import", short_help="Take answers from files of results.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def import_(out: Path, results: tuple[Path, ...], as_json: bool) -> None:
    """Take the answers in RESULTS, files as OpenAI Batch and `vllm run-batch` write them: outputs and errors, in any order.

    Lines that hold no answer are counted and harm no other. Requests that came back without one are exported again.
    """
    counts = Imported()
    with _open_answers(out) as cache:
        for path in results:
            import_answers(cache, path, counts)
        waiting = len(cache.waiting(sent=False)), len(cache.waiting(sent=True))
    summary = _advance(out)
    with _open_answers(out) as cache:
        to_export = len(cache.waiting(sent=False))
    n_open = 0 if summary is None else summary.counts["open"]
    if as_json:
        _print_json({**counts.to_json(), "to_export": to_export, "on_the_way": waiting[1], "open": n_open})
    else:
        _print_counts(counts, (to_export, waiting[1]))
        if summary is not None:
            print_summary(summary, out, make_console())
    if counts.broken:
        sys.exit(3)
    if n_open:
        sys.exit(WAITING)


def _models_of(out: Path) -> Mapping[str, Model]:
    """Return the models of the job of a folder, none where none is written down."""
    from agenther.jobs.resume import JOB, recall

    return recall(out).asking.models if (out / JOB).exists() else {}


def _advance(out: Path) -> Summary | None:
    """Go on with the job of a folder on the answers that came; None where none is written down."""
    from agenther.jobs.job import execute
    from agenther.jobs.report import show_progress
    from agenther.jobs.resume import JOB, recall

    if not (out / JOB).exists():
        return None
    job = recall(out)
    with show_progress(job) as shown:
        return execute(job, shown.tick, shown.watch)


@contextmanager
def _open_answers(out: Path) -> Generator[Cache]:
    """Open the answers of a job that nobody else is running."""
    from agenther.jobs.files import hold_folder

    if not (out / ANSWERS).is_file():
        raise UserError(
            f"{out}: expected the output of a job that asks models, found no {ANSWERS}",
            "run `agenther run INPUT -o OUT --mode llm --batch` first",
        )
    with hold_folder(out), Cache(out / ANSWERS) as cache:
        yield cache


def _print_counts(counts: Imported, waiting: tuple[int, int]) -> None:
    click.echo(f"{counts.kept:7} answers taken")
    for n, what in (
        (counts.failed, "requests came back without an answer: the next export writes them again"),
        (counts.repeated, "results of requests that were answered already"),
        (counts.unknown, "results of requests that this job does not wait for"),
        (counts.broken, "lines that are no results"),
        (waiting[1], "requests are still on their way"),
        (waiting[0], "requests wait for the next export"),
    ):
        if n:
            click.echo(f"{n:7} {what}")
    for fault, n in counts.faults.most_common():
        click.echo(f"        {n} x {one_line(fault, 100)}", err=True)


def _shown(file: BatchFile) -> dict[str, str | int]:
    return {"path": str(file.path), "model": file.model, "requests": file.requests}


def _print_json(value: object) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
