"""Whom tasks are written for, by name."""

from __future__ import annotations

from collections.abc import Mapping

from agenther.tasks.base import Target
from agenther.tasks.harbor import Harbor
from agenther.tasks.jsonl import JsonLines
from agenther.tasks.webarena import WebArenaVerified

NAMES = (JsonLines.name, Harbor.name, WebArenaVerified.name)


def make_target(name: str, requirements: Mapping[str, str], sites: Mapping[str, str]) -> Target:
    """Return a target.

    Args:
        name: one of `NAMES`.
        requirements: what pip must install for environments, by their kind.
        sites: URLs where runs found web sites, by the benchmark's names of sites.
    """
    match name:
        case Harbor.name:
            return Harbor(requirements)
        case WebArenaVerified.name:
            return WebArenaVerified(sites)
        case _:
            return JsonLines()
