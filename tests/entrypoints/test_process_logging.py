"""The log of a process holds ids and status words: no words of exceptions, whoever raised them."""

from __future__ import annotations

import subprocess
import sys

import orjson

from tests.house.files import ROOT

PROGRAM = """
import logging, structlog
from integration.entrypoints.process_logging import configure_logging
configure_logging("web")
log = structlog.get_logger("ours")
log.info("text offered", text=7)
log.debug("not shown")
try:
    raise KeyError("Ana Sample")
except KeyError as error:
    log.exception("a surprise of ours")
    logging.getLogger("library").exception("a surprise of a library")
    logging.getLogger("library").error("it said %s", error)
logging.getLogger("httpx").info("GET /Patient?identifier=17")
"""


def test_what_is_logged_is_one_object_a_line_and_names_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True
    )
    lines = [orjson.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "text offered",
        "a surprise of ours",
        "a surprise of a library",
        "it said KeyError at <string>:9",
    ]
    assert {line["process"] for line in lines} == {"web"}
    assert all({"level", "at"} <= set(line) for line in lines)
    assert lines[0]["text"] == 7
    assert {line["surprise"] for line in lines[1:3]} == {"KeyError at <string>:9"}
    assert "Ana" not in done.stderr
    assert done.stdout == ""
