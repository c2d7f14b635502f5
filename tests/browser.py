"""Chromium, driven as a person would: for the stories of our pages."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from selenium import webdriver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

NEEDS_A_BROWSER: Final = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="no browser to drive"),
]
_OPTIONS: Final = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
)


@contextmanager
def driven(profile: Path, *more: str) -> Iterator[WebDriver]:
    """A browser with a profile of its own."""
    options = webdriver.ChromeOptions()
    for option in (*_OPTIONS.split(), *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()
