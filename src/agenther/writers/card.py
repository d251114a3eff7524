"""The dataset card of an output folder: what is in it, what its labels mean and do not, how to load it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, NUMBER, TEXT
from agenther.writers.registry import WRITERS

EXAMPLE_COLUMNS = {
    **dict.fromkeys(("id", "trajectory_id", "task_id", "origin"), TEXT),
    "source": "dtype: json",
    **dict.fromkeys(("desired_goal", "hindsight_goal", "strategy", "domain"), TEXT),
    "detection": "dtype: json",
    "claims": "list: json",
    "verdict": "dtype: json",
    "weight": NUMBER,
    "messages": MESSAGES,
    "tools": TEXT,
    "train_on": "list: int64",
    "repairs": "list: string",
    "provenance": "dtype: json",
    "split": TEXT,
}
"""The columns of examples.jsonl, with their types."""

_HEAD = """# Hindsight training data, made by AgentHER

Recorded runs of LLM agents that failed their goal, told again as demonstrations of a goal that they did reach.
"""

_MEANING = """## What a label means, and what it does not

- An example with `origin: hindsight` says: the kept part of this recorded run is a demonstration of `hindsight_goal`. Every
  part of that goal points at the characters of the run that support it (`claims`, `verdict.scores`). VOICES
  No person has confirmed a single label, and no environment was run again to test it unless a score in `verdict` says so.
- An example with `origin: success` is a run that its source calls successful, unchanged but for its last results.
- `verdict.support` is the share of the goal's parts that are bound to evidence. It is not a probability.
- A KTO row with `label: false` is a whole recorded run that failed its goal; no cut run is ever called a failure.
- A DPO pair says its `kind` and `why` in `metadata`: two runs of one goal that ended differently (`same_goal`: nothing says that
  each step of the worse one is bad), two turns at one point of which one was refused (`step`), or a relabelled run and
  one whose own observations show that it misses the hindsight goal (`hindsight_goal`).
- `set_aside.jsonl` names the rows that a consumer would have refused or trained wrongly, and why.

## Masks and weights

- `train_on` lists the steps that carry loss; all other steps are context. The rows for TRL keep this with
  `SFTConfig(completion_only_loss=True, assistant_only_loss=True)`; without `assistant_only_loss` the results of tools
  are trained too. Rows for ShareGPT leave out examples with masked steps.
WEIGHTS
- Trainers cut long rows silently: set `max_length` above the longest row (`metadata` tells the tokens of each as
  `n_tokens`, and by whom they were counted).

## Limits

WORDING
- A hindsight goal is often easier than the goal that failed. Mix these rows with other data and measure.
- Shared state, such as files that other runs left behind, may be visible in a run and is not always known.
REDACTION

## Licence

The rows contain text of the source runs, so the licences of these runs and of the models that wrote them hold for this
data. AgentHER adds no licence of its own and does not know theirs: state them before you share this folder.
"""


_WEIGHTS = (
    "- `weight` is the severity weight w of the original failure: 1 is mild, near 0 catastrophic. No trainer of others reads\n"
    "  the column on its own. "
)
_CARRIED = "Rows for TRL are all there and carry it for `agenther train`; `sft` for ms-swift has it as\n  `loss_scale`."
_DRAWN = (
    " Of other training files a row stayed with the chance of its w over that of the heaviest of its kind, both in\n"
    "  tenths, by a seeded draw{lost}; do not sample by w once more. Test files are whole. `examples.jsonl` has every label,\n"
    "  and `agenther export --weights ignore` writes every row."
)
_IGNORED = "It does nothing in these files, as was asked for (`--weights ignore`)."
_BY_RULES = "The checks were made\n  by rules, and no model was asked."
_BY_MODELS = (
    "The checks were made\n  by rules. {proposer}{judges}\n"
    "  `provenance.panel` says for each example whether all these voices are different models (`independent`) or not\n"
    "  (`same_model`). How precise such labels are has not been measured."
)
_NARROW = "- Goals are composed by rules, so their wording is narrower than what people write."
_MODEL_WORDS = (
    "- Goals are worded by a model, and so are final answers whose `repairs` say `synthesized`: no agent said them.\n"
    "- Models were shown text that strangers wrote. It was fenced and checked; what else it may have steered is not known."
)
_REDACTED = "- Secrets and personal data were replaced by placeholders where patterns find them. Patterns miss some."
_NOT_REDACTED = "- **Secrets and personal data were NOT replaced** (`--no-redact`): look before you share this folder."


def dataset_card(summary: JsonObject) -> str:
    """Return a README.md with YAML front matter, so that `datasets.load_dataset(folder, config)` finds every file.

    Args:
        summary: any of `files` ({path: rows}), `undrawn` ({path: rows}), `weights` ("act" or "ignore"),
            `sources` ({name: runs}), the counts `runs`, `strategies`, `domains`, `origins`, `drop_reasons` ({name: n}),
            whether the runs were `redacted`, and the names of the model that was `proposer` and of the `judges`. What is
            absent is left out of the card; files without rows too, since
            loaders refuse them.
    """
    files = {path: n for path, n in _counts(summary, "files") if n}
    parts = [
        "\n".join(_front_matter(files)),
        _HEAD,
        *_tables(summary, files),
        _loading(files),
        _meaning(summary),
    ]
    return "\n".join(part for part in parts if part)


def _meaning(summary: JsonObject) -> str:
    """Return what the labels mean, by who made them."""
    proposer, judges = summary.get("proposer"), cast(list[str], summary.get("judges") or [])
    by_models = _BY_MODELS.format(
        proposer=f"The model `{proposer}` proposed the goals; " if proposer else "Rules proposed the goals; ",
        judges=f"{', '.join(f'`{judge}`' for judge in judges)} judged them."
        if judges
        else "no other model judged them.",
    )
    values = {
        "WEIGHTS": _WEIGHTS + _use_of_weights(summary),
        "REDACTION": _REDACTED if summary.get("redacted", True) else _NOT_REDACTED,
        "VOICES": by_models if proposer or judges else _BY_RULES,
        "WORDING": _MODEL_WORDS if proposer else _NARROW,
    }
    text = _MEANING
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _use_of_weights(summary: JsonObject) -> str:
    if summary.get("weights") == "ignore":
        return _IGNORED
    lost = ", ".join(f"{n} of `{path}`" for path, n in _counts(summary, "undrawn"))
    return _CARRIED + _DRAWN.format(lost=f" (not drawn: {lost})" if lost else "")


def _front_matter(files: dict[str, int]) -> Iterator[str]:
    """Yield the YAML lines: types of columns, which a loader would else guess from the first rows, then the files."""
    yield "---"
    yield "tags: [agents, hindsight, tool-use]"
    configs = _configs(files)
    if configs:
        yield "dataset_info:"
    for name in configs:
        yield f"- config_name: {name}"
        yield "  features:"
        yield from (f"  - name: {column}\n    {kind}" for column, kind in _columns(name).items())
    if configs:
        yield "configs:"
    for name, splits in configs.items():
        yield f"- config_name: {name}"
        if name == "examples":
            yield "  default: true"
        yield "  data_files:"
        for split, path in splits.items():
            yield f"  - split: {split}"
            yield f"    path: {json.dumps(path)}"
    yield "---"


def _columns(config: str) -> Mapping[str, str]:
    if config == "examples":
        return EXAMPLE_COLUMNS
    consumer, _, kind = config.rpartition("-")
    writer = WRITERS[consumer]
    return next(writer.columns(known) for known in writer.kinds if known == kind)


def _configs(files: dict[str, int]) -> dict[str, dict[str, str]]:
    """Name a configuration for each file: `examples`, or consumer and kind, split by the folder it lies in."""
    configs: dict[str, dict[str, str]] = {}
    rows = (path for path in files if path == "examples.jsonl" or path.startswith(("train/", "test/")))
    for path in sorted(rows, key=lambda p: (p.count("/"), p)):
        *folders, name = path.removesuffix(".jsonl").split("/")
        split = folders[0] if folders else "labels"
        configs.setdefault("-".join([*folders[1:], name]), {})[split] = path
    return configs


def _tables(summary: JsonObject, files: dict[str, int]) -> Iterator[str]:
    yield _table("Files", "file", "rows", list(files.items()))
    for key, title, what in (
        ("runs", "Runs", "what became of them"),
        ("sources", "Sources", "source"),
        ("origins", "Origins", "origin"),
        ("strategies", "Strategies", "strategy"),
        ("domains", "Domains", "domain"),
        ("drop_reasons", "Why runs were dropped", "reason"),
    ):
        yield _table(title, what, "n", list(_counts(summary, key)))


def _counts(summary: JsonObject, key: str) -> Iterator[tuple[str, int]]:
    counts: Json = summary.get(key)
    if isinstance(counts, dict):
        for name, n in counts.items():
            if isinstance(n, int):
                yield name, n


def _table(title: str, what: str, unit: str, rows: list[tuple[str, int]]) -> str:
    if not rows:
        return ""
    lines = [f"## {title}", "", f"| {what} | {unit} |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {_cell(name)} | {n} |" for name, n in rows), ""])


def _cell(name: str) -> str:
    return name.replace("|", "\\|").replace("\n", " ")


def _loading(files: dict[str, int]) -> str:
    if not _configs(files):
        return ""
    lines = "\n".join(f'load_dataset("PATH/TO/THIS/FOLDER", "{name}")' for name in _configs(files))
    return f"## Loading\n\n```python\nfrom datasets import load_dataset\n{lines}\n```\n"
