"""The card of a trained model: on what, how and from what it was trained, in place of the stub that TRL leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from agenther.jobs.files import write_atomically
from agenther.record import JsonObject
from agenther.texts import path_text
from agenther.train.settings import Method, Settings

CARD = "README.md"
_METHODS: dict[Method, str] = {
    "sft": "imitation of runs that reached their goal",
    "dpo": "preference of the better of two runs of one goal (DPO)",
    "kto": "single runs, desirable or not (KTO)",
    "goal-contrast": "preference of a run under the goal it reached to the same run under the one it failed (DPO)",
}
_SHOWN = (
    *("learning_rate", "schedule", "warmup", "epochs", "max_steps", "batch", "device_batch", "max_length", "dtype"),
    *("beta", "lora_r", "lora_alpha", "lora_dropout", "lora_targets", "seed"),
)


def write_card(out: Path, settings: Settings, model: str, data: Path, done: JsonObject) -> None:
    """Write the card of a finished training.

    Args:
        out: folder of the trained model.
        settings: how it was trained.
        model: folder or hub name of the model it was trained from.
        data: folder with the rows.
        done: what was done, as in `train.json`.
    """
    with write_atomically(out / CARD) as file:
        file.write(_card(settings, model, data, done).encode())


def _card(settings: Settings, model: str, data: Path, done: JsonObject) -> str:
    counts = cast(dict[str, Any], done["data"])
    adapted = bool(settings.lora_targets)
    lines = [
        "---",
        *(() if Path(model).is_dir() else (f"base_model: {model}",)),
        f"library_name: {'peft' if adapted else 'transformers'}",
        "tags: [agenther]",
        "---",
        "",
        "# Model trained on relabelled agent runs",
        "",
        f"- Base model: {_code(model)}; {'LoRA adapters' if adapted else 'all weights'} were trained.",
        f"- Method: `{settings.method}`, {_METHODS[settings.method]}.",
        f"- Data: {_code(path_text(data))}, written by `agenther run` (SHA-256 of its rows: `{done['data_sha256']}`).",
        f"- Rows: {counts['rows']} of {counts['tokens']} tokens, {counts['trained_tokens']} of them trained.",
        *(f"- Of these: {kind}: {n}." for kind, n in counts["kinds"].items()),
        *(f"- Left out: {why}: {n}." for why, n in counts["left_out"].items()),
        f"- Mask: {_mask(settings)}",
        f"- Severity weight w: {_weight(settings)}",
        f"- Steps: {done['steps']}; loss {_short(done['first_loss'])} at first, {_short(done['last_loss'])} at last.",
        "",
        "| setting | value |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in _shown(settings).items()),
        "",
        "`train.json` has all settings and counts, `loss.jsonl` the loss of every step that was logged. The training loss alone",
        "does not tell whether the model became a better agent: measure that on tasks it was not trained on.",
        "",
    ]
    return "\n".join(lines)


def _shown(settings: Settings) -> JsonObject:
    """Return the settings that acted on this training."""
    idle = {name for name in _SHOWN if name.startswith("lora_") and not settings.lora_targets}
    idle |= {"beta"} if settings.method == "sft" else set()
    idle |= {"epochs"} if settings.max_steps is not None else {"max_steps"}
    told = settings.model_dump(mode="json")
    values = {name: told[name] for name in _SHOWN if name not in idle}
    return {**values, **({"lora_targets": ", ".join(settings.lora_targets)} if settings.lora_targets else {})}


def _mask(settings: Settings) -> str:
    if settings.method == "sft":
        return (
            "the loss counts on the agent's turns that an example trains; its other turns, tools and users bear none."
        )
    return "the loss counts on the agent's turns after the prompt; tools and users bear none."


def _weight(settings: Settings) -> str:
    if settings.weighted:
        return "the loss of a row is multiplied by it, so that grave failures teach less."
    return "left alone, all rows count alike."


def _code(text: str) -> str:
    """Return a name as code, on one line."""
    return f"`{' '.join(text.replace('`', ' ').split())}`"


def _short(loss: Any) -> str:
    return "unknown" if loss is None else f"{loss:.4g}"
