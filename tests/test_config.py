from pathlib import Path

import pytest
from pydantic import ValidationError

from agenther.config import LEAST_PROMPT, Config, load_config
from agenther.errors import ConfigError
from agenther.llm.models import Model
from agenther.stages.showing import INSTRUCTION_TOKENS, room_for_run


def test_unknown_domains_are_refused_wherever_they_are_named(tmp_path: Path):
    with pytest.raises(ValidationError, match="alchemy"):
        Config(domains=("sql", "alchemy"))
    with pytest.raises(ConfigError, match="alchemy") as caught:
        load_config(None, domains=("alchemy",))
    assert "sql" in caught.value.hint
    (tmp_path / "c.toml").write_text('domains = ["alchemy"]')
    with pytest.raises(ConfigError, match=r"c\.toml domains"):
        load_config(tmp_path / "c.toml")
    assert load_config(None, domains=("sql", "qa")).domains == ("sql", "qa")


def test_an_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="colour") as caught:
        load_config(None, colour="red")
    assert "delta" in caught.value.hint


def test_claims_of_a_model_are_not_paid_for_where_rules_propose():
    with pytest.raises(ConfigError, match="never read"):
        load_config(None, extract="llm", model="pilot")
    assert load_config(None, extract="llm", propose="llm", model="pilot").extract == "llm"


def test_a_prompt_without_room_for_a_run_is_refused():
    with pytest.raises(ConfigError, match="prompt_tokens"):
        load_config(None, prompt_tokens=INSTRUCTION_TOKENS)
    model = Model(name="pilot", served_as="pilot", endpoint="http://127.0.0.1:9/v1")
    assert room_for_run(load_config(None, prompt_tokens=LEAST_PROMPT), model) >= 1_000
