"""A missing service is said by name, and is never overlooked on CI."""

from __future__ import annotations

import pytest

from tests import services


@pytest.fixture
def an_empty_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(services, "_BEFORE", ())
    monkeypatch.setattr(services, "_AFTER", ())


@pytest.mark.usefixtures("an_empty_machine")
@pytest.mark.parametrize("program", services.PACKAGES)
def test_at_home_a_missing_service_skips_and_names_its_package(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"apt-get install {services.PACKAGES[program]}"):
        services.need(program)


@pytest.mark.usefixtures("an_empty_machine")
def test_on_ci_a_missing_service_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="redis-server"):
        services.need("redis-server")
