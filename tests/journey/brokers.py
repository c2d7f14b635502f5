"""Brokers for tests: Redis and RabbitMQ, each a server of its own on a free port, thrown away afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.journey.product import free_port, until
from tests.services import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    """The URL of a Redis server."""
    port = free_port()
    command = [
        need("redis-server"),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(directory),
    ]
    with _running(command, directory / "redis.log", {}, lambda: _answers(port)):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def rabbitmq(directory: Path) -> Iterator[str]:
    """The URL of a RabbitMQ server, with an Erlang port mapper of its own."""
    port, distribution, mapper = free_port(), free_port(), free_port()
    surroundings = {
        "HOME": str(directory),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced"),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "rabbitmq-env.conf"),
    }
    with _running(
        [need("rabbitmq-server")], directory / "rabbitmq.log", surroundings, lambda: _answers(port)
    ):
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


@contextmanager
def _running(
    command: Sequence[str], log: Path, surroundings: Mapping[str, str], ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **surroundings},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(f"{command[0]} answers", ready)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
