"""`make fuzz`: fuzz for FUZZ_SECONDS, go on after a hang, and say how much was tried and what was found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "fuzz-out"
HANG_S = 20
ROUND_S = 900
"""After so many seconds the fuzzer starts again, with what it found so far."""


def main() -> None:
    """Run the fuzzer until the time is over; exit 1 when there are faults."""
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "3600"))
    faults, corpus, seeds = OUT / "faults", OUT / "corpus", OUT / "seeds"
    corpus.mkdir(parents=True, exist_ok=True)
    faults.mkdir(parents=True, exist_ok=True)
    executed, covered, rounds = 0, 0, 0
    while (left := int(end - time.monotonic())) > 5:
        shutil.rmtree(seeds, ignore_errors=True)
        seeds.mkdir(parents=True)
        options = (
            f"-max_total_time={min(left, ROUND_S)}",
            f"-timeout={HANG_S}",
            "-rss_limit_mb=3000",
            "-max_len=20000",
        )
        quiet = ("-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={faults}/")
        command = [sys.executable, "-m", "fuzz.target", *options, *quiet, str(corpus), str(seeds)]
        rounds += 1
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace") as fuzzer:
            tried = 0
            for line in fuzzer.stderr or ():
                if line.startswith("INFO: Instrumenting"):
                    continue
                if match := re.match(r"#(\d+)\s.*?cov: (\d+)", line):
                    tried, covered = int(match[1]), max(covered, int(match[2]))
                if not re.match(r"#\d+\s+(?:NEW|REDUCE)", line):
                    print(line, end="", flush=True)
        executed += tried
    found = sorted(path.name for path in faults.iterdir() if path.suffix != ".bin")
    print(f"{executed} executions in {rounds} rounds, {covered} edges covered, {len(found)} faults in {faults}")
    print(*found, sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
