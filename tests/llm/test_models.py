from __future__ import annotations

from pathlib import Path

import pytest

from agenther.errors import ConfigError
from agenther.llm.models import OWN_KEY, load_models, name_of


def in_file(folder: Path, text: str, name: str = "house") -> object:
    file = folder / "models.toml"
    file.write_text(text)
    return load_models([name], file)[name]


@pytest.mark.parametrize("name", ["small", "org/small-1.5", "../small", "my small", "small@home"])
def test_a_name_is_any_that_can_be_shown(name: str) -> None:
    given = f"{name}@http://h:1/v1/"
    model = load_models([given])[name]
    assert (name_of(given), model.served_as, model.endpoint) == (name, name, "http://h:1/v1")


@pytest.mark.parametrize("name", ["", " ", "small\x1b[2J", "small\nbig", "small\udcff", "small\u202e", "http://h/v1"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="expected NAME") as caught:
        load_models([name])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("endpoint", "key_env"),
    [
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("http://api.openai.com/v1", OWN_KEY),
        ("https://api.openai.com.example/v1", OWN_KEY),
        ("http://[/v1", OWN_KEY),
    ],
)
def test_the_key_of_openai_goes_to_openai_and_is_never_sent_in_clear(endpoint: str, key_env: str) -> None:
    assert load_models([f"small@{endpoint}"])["small"].key_env == key_env


@pytest.mark.parametrize("endpoint", ["https://api.openai.com@example.org/v1", "http://me:secret@example.org/v1"])
def test_an_endpoint_with_a_user_is_refused_without_showing_the_password(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="none with a password") as refused:
        load_models([f"small@{endpoint}"])
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "[model.house]\nendpoint = 'http://h/v1'",
        "[house]\nendpoint = 'http://h/v1'",
        "models = 3",
        "[models]\nhouse = 'http://h/v1'",
        "[models.house]\nendpont = 'http://h/v1'",
        "[models.house]\ncontext_tokens = 0",
        "[models.house]\nprice = { input = inf, output = 1.0 }",
        "[models.house]\nprice = { input = 1.0, output = nan }",
        "[models.house]\nprice = { input = -1.0, output = 1.0 }",
        "no TOML",
    ],
)
def test_a_file_that_says_something_else_is_refused_and_not_passed_over(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        in_file(tmp_path, text)


def test_a_file_wins_over_what_is_known(tmp_path: Path) -> None:
    model = in_file(tmp_path, "[models.gpt-4o]\nendpoint = 'http://h/v1/'\nkey_env = ''", "gpt-4o")
    assert model == load_models(["gpt-4o@http://h/v1"])["gpt-4o"].model_copy(
        update={"key_env": "", "price": None, "context_tokens": None}
    )
