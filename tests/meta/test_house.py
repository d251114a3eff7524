"""Conventions of docs/architecture that fail here instead of living in reviews: layers, sizes, cost of importing."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "agenther"
LAYERS = {
    0: {
        "texts",
        "literals",
        "errors",
        "record",
        "versions",
        "config",
        "trajectory",
        "messages",
        "conclusions",
        "preferences",
        "presets",
        "replay",
    },
    1: {"readers", "writers", "environments", "tasks", "llm"},
    2: {"stages", "pipeline"},
    3: {"jobs", "train", "coverage", "cli", "__main__"},
    4: {"testing"},
}
MODULES = sorted(SRC.rglob("*.py"))


def rank(module: str) -> int | None:
    top = module.removeprefix("agenther.").split(".")[0]
    return next((n for n, names in LAYERS.items() if top in names), None)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_go_down_only(path: Path) -> None:
    if path == SRC / "__init__.py":
        return
    own = rank(".".join(path.relative_to(SRC).with_suffix("").parts))
    assert own is not None, f"{path.name} belongs to no layer: name it in LAYERS"
    for module in imports_of(path):
        if module.startswith("agenther."):
            other = rank(module)
            assert other in range(own + 1), f"{path.name} imports {module}, which stands above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_sizes_and_opening_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 500
    assert ast.get_docstring(tree), "a module opens with what it owns"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 80, f"{node.name} is too long"


def test_the_typical_file_and_function_are_small() -> None:
    trees = [(p, ast.parse(p.read_text(encoding="utf-8"))) for p in MODULES]
    lengths = [p.read_text(encoding="utf-8").count("\n") for p, _ in trees]
    functions = [
        (n.end_lineno or 0) - n.lineno + 1
        for _, tree in trees
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert statistics.median(lengths) <= 150
    assert statistics.quantiles(lengths, n=20)[-1] <= 350
    assert statistics.median(functions) <= 12


def test_importing_the_package_does_no_work() -> None:
    code = "import sys, agenther; print(*sorted(m for m in sys.modules if m.split('.')[0] in sys.argv[1:]))"
    heavy = [
        "pydantic",
        "torch",
        "ray",
        "openai",
        "rich",
        "click",
        "sqlglot",
        "lemminflect",
        "numpy",
        "sklearn",
        "asyncio",
    ]
    found = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_public_names_exist() -> None:
    import agenther

    for name in agenther.__all__:
        assert getattr(agenther, name) is not None
