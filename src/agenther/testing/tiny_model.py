"""A language model of a few thousand weights that knows nothing: for trying out a training on any machine, in seconds.

`python -m agenther.testing.tiny_model DIR` makes one. Its tokens are bytes and a few marks; its chat template knows tools.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import sys
from pathlib import Path

from agenther.errors import MissingExtra

END, START, PAD = "<|end|>", "<|start|>", "<|pad|>"
TEMPLATE = """\
{%- if tools %}{{ '<|start|>tools\\n' + tools | tojson + '<|end|>\\n' }}{% endif %}
{%- for message in messages %}
    {{- '<|start|>' + message.role + '\\n' }}
    {%- if message.reasoning_content %}{{ '(' + message.reasoning_content + ') ' }}{% endif %}
    {{- message.content or '' }}
    {%- for call in message.tool_calls or [] %}
        {{- ' CALL ' + call.function.name + ' ' + call.function.arguments | tojson }}
    {%- endfor %}
    {{- '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}
"""


def make_tiny_model(folder: Path, seed: int = 0) -> Path:
    """Write a model of two layers with random weights, and its tokenizer, and return the folder.

    Args:
        folder: made if missing.
        seed: of the weights.

    Raises:
        MissingExtra: torch or transformers is not installed.
    """
    try:
        import torch
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
    except ModuleNotFoundError as error:
        raise MissingExtra(f"a tiny model needs {error.name}", "pip install 'agenther[train]'") from error
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(letters)}, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token=END, pad_token=PAD)
    tokenizer.add_special_tokens({"additional_special_tokens": [START]})
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=65_536,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    make_tiny_model(Path(sys.argv[1]))
