"""The log of a process: JSON Lines for programs, plain lines on a terminal; ids and status words only.

Libraries' own records pass through the standard library and come out in the same form. Their words may quote
what they were given, so of their exceptions only the kind and the place are said.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from integration.domain.surprise import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

# Libraries that would tell more than ids: whole URLs with numbers in them, whole task arguments.
_QUIET = ("httpx", "httpcore", "urllib3", "twilio", "sqlalchemy", "alembic", "celery.app.trace")


@contextmanager
def silence() -> Iterator[None]:
    """No log while the steps run on a stage: what happens there has not happened."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def configure_logging(process: str) -> None:
    """Log to standard error, each line naming the process it came from."""
    terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _without_words,
        _named(process),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_without_words_of_libraries)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(pad_event_to=0)
                if terminal
                else structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _named(process: str) -> Any:
    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return name


def _without_words_of_libraries(record: logging.LogRecord) -> bool:
    """As `_without_words`, for the exceptions that a library puts into its sentence."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            describe(each) if isinstance(each, BaseException) else each for each in record.args
        )
    return True


def _without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception's words may hold a person's data: its kind and place are enough."""
    info = event.pop("exc_info", None)
    if info is None:
        return event
    error = info if isinstance(info, BaseException) else sys.exc_info()[1]
    if isinstance(info, tuple):
        error = info[1]
    if error is not None:
        event["surprise"] = describe(error)
    return event
