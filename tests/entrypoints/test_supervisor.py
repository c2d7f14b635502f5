"""The supervisor and its children: facts are relayed, the dead rise again, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from hl7_listener.client import send
from tests.house.files import ROOT
from tests.messages import siu
from tests.ports import Ports, free_ports
from tests.site import local
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A family of two: `first` says a fact, `second` repeats what it hears as the fact that all is ready.
FAMILY = """
import os, sys, time
from integration.entrypoints.lifeline import Lifeline
from integration.entrypoints.supervisor import Child, Supervisor
CHILD = '''
import os, sys, threading
from integration.entrypoints.lifeline import Lifeline
if os.environ.get("FAIL") == sys.argv[1]:
    sys.exit(3)
lifeline, gone = Lifeline.from_fd(int(sys.argv[-1])), threading.Event()
if sys.argv[1] == "first":
    lifeline.tell(number=os.getpid())
else:
    lifeline.listen(lambda facts: lifeline.tell(ready=[str(facts.get("number"))]), gone.set)
if sys.argv[1] == "first":
    lifeline.listen(lambda facts: None, gone.set)
gone.wait()
'''
children = [
    Child(name, [sys.executable, "-c", CHILD, name], os.environ | {"PYTHONPATH": os.getcwd()})
    for name in ("first", "second")
]
def say(*words):
    print(*words, flush=True)
sys.exit(Supervisor(children, lambda lines: say("ready", *lines), lambda words: say("warn", words)).run())
"""


@pytest.fixture
def family() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def a_family(started: list[subprocess.Popen[str]], **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", FAMILY],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    return process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_what_one_child_says_the_other_hears_and_the_supervisor_is_ready(
    family: list[subprocess.Popen[str]],
) -> None:
    parent = a_family(family)
    said = line(parent).split()
    first = psutil.Process(int(said[1]))
    assert said[0] == "ready"
    assert first.parent() == psutil.Process(parent.pid)
    parent.terminate()
    assert parent.wait(30) == 0
    assert not first.is_running()


def test_a_child_that_dies_is_born_again(family: list[subprocess.Popen[str]]) -> None:
    parent = a_family(family)
    first = psutil.Process(int(line(parent).split()[1]))
    first.kill()
    assert line(parent) == "warn first ended with -9; it starts again in 0.5 s"
    until("it is back", lambda: len(psutil.Process(parent.pid).children()) == 2)


def test_a_child_that_fails_at_the_start_ends_all(family: list[subprocess.Popen[str]]) -> None:
    parent = a_family(family, FAIL="second")
    assert parent.wait(30) == 1


def test_children_end_when_their_parent_is_killed(family: list[subprocess.Popen[str]]) -> None:
    parent = a_family(family)
    line(parent)
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) == 2
    parent.kill()
    _, left = psutil.wait_procs(children, timeout=30)
    assert left == []


@pytest.fixture
def ports() -> Ports:
    return free_ports()


@pytest.fixture
def product(
    request: pytest.FixtureRequest, tmp_path: Path, ports: Ports
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO_", "EHR_", "APPOINTMENT_TEXTS_"))
    }
    options: list[str] = []
    if "simulated_days" in request.fixturenames:
        options = request.getfixturevalue("simulated_days")
        environment["TWILIO_API_BASE_URL"] = "http://127.0.0.1:9"  # no account: nobody is called
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "integration.entrypoints.cli", "run", *options],
            cwd=ROOT,
            env=environment | ports.environment | {"APPOINTMENT_TEXTS_DATA": str(tmp_path / "var")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    family: list[psutil.Process] = []
    try:
        until("it is ready", lambda: is_ready(ports), alive=process)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        yield process
    finally:
        for each in family:
            if each.is_running():
                each.kill()
        process.kill()
        process.wait()
        sys.stdout.write((tmp_path / "log").read_text(errors="replace"))


def is_ready(ports: Ports) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{ports.http}/health/ready", trust_env=False, timeout=5)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


@pytest.fixture
def simulated_days() -> list[str]:
    """The calendar begins in March 2027 and takes a minute for two days."""
    return ["--from", "2027-03-01T09:00-05:00", "--speed", "2880"]


def calendar(ports: Ports) -> float:
    page = httpx.get(f"http://127.0.0.1:{ports.operator}/metrics", trust_env=False, timeout=5).text
    return next(
        float(line.split()[1])
        for line in page.splitlines()
        if line.startswith("appointment_texts_calendar_seconds ")
    )


@pytest.mark.slow
@pytest.mark.usefixtures("simulated_days")
def test_the_calendar_begins_when_the_product_is_ready_and_outlives_a_child(
    product: subprocess.Popen[bytes], ports: Ports
) -> None:
    begin = datetime.fromisoformat("2027-03-01T09:00-05:00").timestamp()
    shown = calendar(ports)
    assert begin <= shown < begin + 2880 * 60
    web = next(
        child
        for child in psutil.Process(product.pid).children()
        if "integration.entrypoints.web" in child.cmdline()
    )
    web.kill()
    until("it is gone", lambda: not is_ready(ports))
    until("all is ready again", lambda: is_ready(ports), alive=product)
    assert calendar(ports) > shown


@pytest.mark.slow
@pytest.mark.usefixtures("product")
def test_the_page_of_metrics_shows_what_the_listener_counted(ports: Ports) -> None:
    list(send("127.0.0.1", ports.mllp, [siu("S12", at=local("2027-03-01T11:00"), start=None)] * 2, 30))

    def shown(line: str) -> bool:
        return line in httpx.get(f"http://127.0.0.1:{ports.operator}/metrics").text

    until("it was told", lambda: shown('appointment_texts_mllp_accepted_total{feed="main"} 2.0'))
    assert shown('appointment_texts_mllp_duplicates_total{feed="main"} 1.0')


@pytest.mark.slow
def test_told_to_stop_the_product_leaves_no_process(product: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(product.pid).children(recursive=True)
    assert len(children) == 2
    product.terminate()
    assert product.wait(30) == 0
    _, left = psutil.wait_procs(children, timeout=30)
    assert left == []


@pytest.mark.slow
def test_killed_the_product_leaves_no_orphan(product: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(product.pid).children(recursive=True)
    product.send_signal(signal.SIGKILL)
    _, left = psutil.wait_procs(children, timeout=30)
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("child", ["listener", "web"])
def test_a_killed_child_comes_back_and_the_product_is_ready_again(
    child: str, product: subprocess.Popen[bytes], ports: Ports
) -> None:
    def of_name() -> list[psutil.Process]:
        found = []
        for each in psutil.Process(product.pid).children():
            with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
                if f"integration.entrypoints.{child}" in each.cmdline():
                    found.append(each)
        return found

    (first,) = of_name()
    first.kill()
    until("another one lives", lambda: [each for each in of_name() if each.pid != first.pid] != [])
    until("all is ready again", lambda: is_ready(ports), alive=product)


@pytest.mark.slow
def test_each_child_gets_only_the_environment_it_needs(product: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(product.pid).children():
        names = set(child.environ())
        assert "PATH" in names
        assert "APPOINTMENT_TEXTS_MLLP_PORT" in names
        assert not any(name.startswith("PYTEST") for name in names)


@pytest.mark.slow
def test_a_port_in_use_ends_the_start_with_its_variable(tmp_path: Path, ports: Ports) -> None:
    with socket.create_server(("127.0.0.1", ports.mllp)):
        done = subprocess.run(
            [sys.executable, "-m", "integration.entrypoints.cli", "run"],
            cwd=ROOT,
            env=os.environ | ports.environment | {"APPOINTMENT_TEXTS_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert "set APPOINTMENT_TEXTS_MLLP_PORT" in done.stderr
    assert "Traceback" not in done.stderr
