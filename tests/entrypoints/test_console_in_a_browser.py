"""The console in a real browser: a patient is found, texted by hand, and the text shows on the thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from integration.entrypoints.console import console_app
from integration.entrypoints.receiving import Receiver
from integration.testing.store import FakeStore
from tests.browser import NEEDS_A_BROWSER, driven
from tests.messages import siu
from tests.ports import free_ports
from tests.settings import practice
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = NEEDS_A_BROWSER
AT = local("2027-03-01T11:00")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    with driven(tmp_path, "--window-size=1280,1000") as driver:
        yield driver


@pytest.fixture
def site() -> Site:
    site = Site(FakeStore(), TurnedClock(AT))
    site.change(settings=replace(site.settings, practices={"riverside": practice(max_segments=1)}))
    site.hear(siu("S12", at=AT, start=local("2027-03-20T09:00")))
    site.clock.now = local("2027-03-02T11:00")
    return site


@pytest.fixture
def place(site: Site) -> Iterator[str]:
    port = free_ports().http
    receiver = Receiver(console_app(site.workshop), "127.0.0.1", port, "A_PORT")
    receiver.start()
    yield f"http://127.0.0.1:{port}/console"
    receiver.stop()


def test_a_patient_is_found_and_told_that_the_practice_runs_late(
    browser: WebDriver, site: Site, place: str
) -> None:
    def sees(words: str, where: str) -> None:
        WebDriverWait(browser, 15).until(lambda page: words in page.find_element(By.ID, where).text)

    browser.get(place)
    browser.find_element(By.ID, "find").send_keys("617 555 0123", Keys.ENTER)
    WebDriverWait(browser, 15).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".found a"))[0].click()
    WebDriverWait(browser, 15).until(lambda page: page.find_elements(By.ID, "write"))
    Select(browser.find_element(By.ID, "form")).select_by_value("running_late")
    browser.find_element(By.ID, "minutes").send_keys("20")
    browser.find_element(By.ID, "author").send_keys("Robin, front desk")
    sees("about 20 minutes late today", "forecast")
    sees("1 segment", "forecast")
    sees("It will go at once.", "forecast")
    assert not browser.find_element(By.ID, "words").is_displayed()
    browser.find_element(By.CSS_SELECTOR, "button.main").send_keys(Keys.ENTER)
    sees("on its way", "thread")
    site.work()
    sees("about 20 minutes late today", "thread")
    sees("Robin, front desk", "thread")
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry for entry in log if entry["level"] == "SEVERE"] == []


def test_on_a_narrow_screen_nothing_is_cut_off(browser: WebDriver, place: str) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"{place}/patients/1")
    assert browser.execute_script("return document.documentElement.scrollWidth") == 360
