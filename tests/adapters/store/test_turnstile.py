"""The listener goes first, and nobody waits for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from integration.adapters.store import turnstile
from integration.adapters.store.turnstile import Turnstile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_who_stands_in_it_holds_others_up_until_he_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline looks again until the listener has left: here at its third look."""
    listener, pipeline = Turnstile(tmp_path / "store"), Turnstile(tmp_path / "store")
    looks = 0

    def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            listener.leave()

    monkeypatch.setattr(turnstile, "_PATIENCE", 60)
    monkeypatch.setattr(time, "sleep", sleep)
    assert listener.enter()
    pipeline.pass_through()
    assert looks == 3
    listener.close()
    pipeline.close()


def test_nobody_is_held_up_for_ever(tmp_path: Path) -> None:
    listener, pipeline = Turnstile(tmp_path / "store"), Turnstile(tmp_path / "store")
    assert listener.enter()
    pipeline.pass_through()
    pipeline.pass_through()
    assert not pipeline.enter()
    listener.close()
    assert pipeline.enter()
    pipeline.close()


def test_where_no_file_can_be_had_all_go_on_without(tmp_path: Path) -> None:
    lonely = Turnstile(tmp_path / "nowhere" / "store")
    assert lonely.enter()
    lonely.leave()
    lonely.pass_through()
    lonely.close()
