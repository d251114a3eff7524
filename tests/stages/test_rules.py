"""The registries of rules: every domain has what they name, and it is imported when it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL
from agenther.stages.extract import rules as extract
from agenther.stages.relabel import rules as relabel
from agenther.stages.verify import rules as verify

DOMAINS = (*DOMAINS_ON, *DOMAINS_OPTIONAL)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_has_a_composer_and_checks(domain: str) -> None:
    assert callable(relabel.composer_of(domain))
    assert all(map(callable, verify.checks_of(domain)))
    assert verify.checks_of(domain)


def test_the_registries_name_the_domains_of_the_settings() -> None:
    assert extract.DOMAINS.keys() == relabel.DOMAINS.keys() == {*DOMAINS}
    assert verify.DOMAINS.keys() == {*DOMAINS, "open"}


def test_the_parts_of_rules_import_only_what_every_run_needs() -> None:
    code = "import sys, agenther.jobs.job; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    rare = ("sqlglot", "numpy", "asyncio", "lemminflect", "agenther.llm.transport", "agenther.stages.verify.sql.checks")
    found = subprocess.run([sys.executable, "-c", code, *rare], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
