"""A surprise, said without its words: an exception's message may hold a person's data."""

from __future__ import annotations

from pathlib import Path


def describe(surprise: BaseException) -> str:
    """The kind of an exception and the line it came from: `KeyError at plan.py:41`."""
    trace = surprise.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(surprise).__name__
    return f"{type(surprise).__name__} at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
