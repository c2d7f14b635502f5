"""What the listener says in its log, heard at its own loggers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Told(logging.Handler):
    """The sentences of the listener's loggers alone.

    Nothing that a test before has done to logging as a whole, or a thread of its still does, is heard or
    keeps anything from being heard.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.levelname} {record.getMessage()}")

    @property
    def text(self) -> str:
        return "\n".join(self.messages)


@pytest.fixture
def told() -> Iterator[Told]:
    """What was said so far, and what the asyncio library said of it."""
    heard = Told()
    loggers = [logging.getLogger(name) for name in ("hl7_listener", "asyncio")]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.addHandler(heard)
        logger.setLevel(logging.DEBUG if logger.name == "hl7_listener" else logging.INFO)
        logger.disabled = False
    yield heard
    for logger, level, disabled in before:
        logger.removeHandler(heard)
        logger.setLevel(level)
        logger.disabled = disabled
