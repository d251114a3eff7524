"""The paper's settings (Table 4) as ready files for other trainers: one for each base model and kind, with a model's name in it.

The numbers stand in `agenther.presets` alone. Here is what each trainer calls them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agenther.presets import COMMON, preset_names, read_preset
from agenther.writers.sidecars import Files, Kind, trained_kinds

_METHOD: Mapping[Kind, str] = {
    "sft": "sft", "sft_last": "sft", "dpo": "dpo", "kto": "kto", "goal_contrast": "goal-contrast"
}  # fmt: skip
_HEAD = (
    "# The paper's settings (Table 4) for this model. {batch} rows are one step: {device_batch} at once on a device (a guess)\n"
    "# x {accumulation} accumulated x 1 device; with N devices divide the accumulation by N.\n"
    "# Table 4 has {max_length} tokens; nothing is cut here: export with `--max-tokens {max_length}` for rows that fit.\n"
)
_OPENAI_MODEL = "gpt-4o-2024-08-06"


def preset_files(consumer: str, made: Mapping[str, str], files: Files) -> dict[str, str]:
    """Return, by name, the settings of each kind completed with those of each preset.

    Args:
        consumer: whom they are for.
        made: the settings that say what is trained, by name; keys that a preset has too give way.
        files: the files of the consumer.
    """
    found: dict[str, str] = {}
    for name in (name for name in preset_names() if name != COMMON):
        for kind in trained_kinds(files):
            own = read_preset(name, _METHOD[kind])
            own["accumulation"] = max(1, own["batch"] // own["device_batch"])
            keys = _KEYS[consumer](own, kind, f"output/{name}/{kind}", read_preset(name, "names"))
            kept = [line for line in made[f"{kind}.yaml"].splitlines() if line.split(":")[0] not in keys]
            lines = [f"{key}: {_yaml(value)}" for key, value in keys.items()]
            found[f"presets/{name}/{kind}.yaml"] = _HEAD.format(**own) + "\n".join([*kept, *lines]) + "\n"
    return found


def _yaml(value: Any) -> str:
    """Return a value as YAML; fractions without an exponent, which loaders of YAML 1.1 would read as text."""
    return f"{value:.10f}".rstrip("0") if isinstance(value, float) else json.dumps(value)


def _swift(own: dict[str, Any], kind: Kind, out: str, names: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": own["model"],
        "tuner_type": "lora",
        "lora_rank": own["lora_r"],
        "lora_alpha": own["lora_alpha"],
        "lora_dropout": own["lora_dropout"],
        "target_modules": own["lora_targets"],
        **_shared(own, out),
        "torch_dtype": own["dtype"],
        **({} if kind == "sft" else {"beta": own["beta"]}),
    }


def _llamafactory(own: dict[str, Any], kind: Kind, out: str, names: dict[str, Any]) -> dict[str, Any]:
    return {
        "model_name_or_path": own["model"],
        "template": names["llamafactory_template"],
        "finetuning_type": "lora",
        "lora_rank": own["lora_r"],
        "lora_alpha": own["lora_alpha"],
        "lora_dropout": own["lora_dropout"],
        "lora_target": ",".join(own["lora_targets"]),
        **_shared(own, out),
        "bf16": own["dtype"] == "bfloat16",
        **({} if kind in ("sft", "sft_last") else {"pref_beta": own["beta"]}),
    }


def _axolotl(own: dict[str, Any], kind: Kind, out: str, names: dict[str, Any]) -> dict[str, Any]:
    return {
        "base_model": own["model"],
        "adapter": "lora",
        "lora_r": own["lora_r"],
        "lora_alpha": own["lora_alpha"],
        "lora_dropout": own["lora_dropout"],
        "lora_target_modules": own["lora_targets"],
        "learning_rate": own["learning_rate"],
        "num_epochs": own["epochs"],
        "lr_scheduler": own["schedule"],
        "warmup_ratio": own["warmup"],
        "micro_batch_size": own["device_batch"],
        "gradient_accumulation_steps": own["accumulation"],
        "optimizer": "adamw_torch",
        "bf16": own["dtype"] == "bfloat16",
        "output_dir": out,
        **({} if kind == "sft" else {"rl_beta": own["beta"]}),
    }


def _shared(own: dict[str, Any], out: str) -> dict[str, Any]:
    """Return what ms-swift and LLaMA-Factory both take from transformers."""
    return {
        "learning_rate": own["learning_rate"],
        "num_train_epochs": own["epochs"],
        "lr_scheduler_type": own["schedule"],
        "warmup_ratio": own["warmup"],
        "per_device_train_batch_size": own["device_batch"],
        "gradient_accumulation_steps": own["accumulation"],
        "output_dir": out,
    }


_KEYS = {"swift": _swift, "llamafactory": _llamafactory, "axolotl": _axolotl}


def fine_tuning_job(kind: Kind, files: Files) -> str:
    """Return the body of the call that starts a fine-tuning job, with names of files in the place of their ids.

    Of Table 4, passes over the data and β have a place there; the provider chooses the rest.
    """
    own = read_preset(COMMON, _METHOD[kind])
    method = {"sft": "supervised"}.get(kind, kind)
    numbers = {"n_epochs": own["epochs"], **({} if kind == "sft" else {"beta": own["beta"]})}
    test = {"validation_file": f"../../test/openai/{kind}.jsonl"} if ("test", kind) in files else {}
    job = {
        "model": _OPENAI_MODEL,
        "training_file": f"{kind}.jsonl",
        **test,
        "method": {"type": method, method: {"hyperparameters": numbers}},
        "suffix": "agenther",
    }
    return json.dumps(job, indent=2) + "\n"


FINE_TUNE = '''\
"""Upload the files that a job names and start it: `python fine_tune.py sft.job.json`, with the package `openai`.

OPENAI_API_KEY is the key; OPENAI_BASE_URL another endpoint of the same kind.
"""

import json
import sys

from openai import OpenAI

client = OpenAI()
with open(sys.argv[1], encoding="utf-8") as file:
    job = json.load(file)
for name in ("training_file", "validation_file"):
    if name in job:
        with open(job[name], "rb") as rows:
            job[name] = client.files.create(file=rows, purpose="fine-tune").id
print(client.fine_tuning.jobs.create(**job).id)
'''
"""What starts a job, beside its body."""


def preset_commands(consumer: str, files: Files) -> str:
    """Return in words how to train with the presets, with a command for the first kind that has rows; empty without one."""
    kinds = trained_kinds(files)
    if not kinds:
        return ""
    command = _COMMANDS[consumer].format(kind=kinds[0], verb="sft" if kinds[0] == "sft" else "rlhf")
    names = ", ".join(f"`{name}`" for name in preset_names() if name != COMMON)
    return (
        "`presets/MODEL/KIND.yaml` are the same settings with those of the paper's Table 4 and a base model, to be trained from\n"
        f"this folder: `{command}`. MODEL is one of {names}.\n"
        "A step has 128 rows on one device; with N devices divide `gradient_accumulation_steps` by N. Further settings of a\n"
        "larger machine (FSDP or DeepSpeed for 72B) are yours to add."
    )


_COMMANDS = {
    "swift": "swift {verb} presets/qwen2.5-7b/{kind}.yaml",
    "llamafactory": "llamafactory-cli train presets/qwen2.5-7b/{kind}.yaml",
    "axolotl": "axolotl train presets/qwen2.5-7b/{kind}.yaml",
}
