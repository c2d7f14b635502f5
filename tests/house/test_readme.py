"""`make run`, as the README promises it: ready, a text arrives in the sandbox, and nothing stays behind."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from tests.house.files import ROOT
from tests.ports import Ports, free_ports
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ports() -> Ports:
    return free_ports()


@pytest.fixture
def make_run(tmp_path: Path, ports: Ports) -> Iterator[subprocess.Popen[bytes]]:
    log = tmp_path / "log"
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "--no-print-directory", "run"],
            cwd=ROOT,
            env=os.environ | ports.environment | {"APPOINTMENT_TEXTS_DATA": str(tmp_path / "var")},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    family: list[psutil.Process] = []
    try:
        yield make
    finally:
        if make.poll() is None:
            family = [psutil.Process(make.pid), *psutil.Process(make.pid).children(recursive=True)]
        for process in family:
            process.kill()
        make.wait()
        sys.stdout.write(log.read_text(errors="replace"))


@pytest.mark.slow
@pytest.mark.skipif(
    sys.prefix != str(ROOT / ".venv") and os.environ.get("CI") != "true", reason="needs .venv: make setup"
)
def test_make_run_texts_in_the_sandbox_and_leaves_nothing_behind(
    make_run: subprocess.Popen[bytes], ports: Ports
) -> None:
    until("it is ready", lambda: answers(f"http://127.0.0.1:{ports.http}/health/ready"), alive=make_run)
    until("a text has arrived", lambda: texts(ports) > 0, alive=make_run)
    family = psutil.Process(make_run.pid).children(recursive=True)
    assert len(family) > 2
    make_run.terminate()
    make_run.wait(30)
    _, left = psutil.wait_procs(family, timeout=30)
    assert [process.name() for process in left] == []


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def texts(ports: Ports) -> int:
    return int(httpx.get(f"http://127.0.0.1:{ports.operator}/sandbox/record", timeout=5).json()["accepted"])
