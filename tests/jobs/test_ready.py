"""What workers share is ready, and is nothing that must not be shared."""

from __future__ import annotations

import subprocess
import sys

from agenther.config import Config
from agenther.jobs.process import Processor
from agenther.jobs.ready import example_run


def test_the_rules_relabel_the_run_that_makes_them_ready() -> None:
    assert Processor(Config())(example_run()).result.examples


def test_making_ready_leaves_no_threads_and_no_open_files() -> None:
    code = (
        "import os, sys, threading; before = os.listdir('/proc/self/fd'); import agenther.jobs.ready;"
        "assert {'agenther.jobs.conclude', 'agenther.jobs.lines'} <= sys.modules.keys();"
        "print(threading.active_count(), len(os.listdir('/proc/self/task')), os.listdir('/proc/self/fd') == before)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1 1 True\n"
    )
