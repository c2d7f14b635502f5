"""The phone page in a real browser: it keeps itself up to date, by keyboard too, and on a narrow screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from integration.sandbox.behaviour import SENDER
from integration.sandbox.emulator import Emulator
from tests.adapters.sms_worlds import PATIENT, Receiver, exchange_for
from tests.browser import NEEDS_A_BROWSER, driven

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = NEEDS_A_BROWSER


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    with driven(tmp_path) as driver:
        yield driver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def test_a_text_appears_by_itself_and_is_answered_with_one_key(
    browser: WebDriver, receiver: Receiver
) -> None:
    with Emulator(exchange_for(receiver)) as emulator:
        exchange = emulator.exchange
        browser.get(f"{emulator.url}/sandbox/phone")
        exchange.create({"To": [PATIENT], "From": [SENDER], "Body": ["See you Tue. Reply C to confirm."]})

        def sees(words: str, where: str) -> None:
            WebDriverWait(browser, 15).until(lambda page: words in page.find_element(By.ID, where).text)

        sees("See you Tue.", "thread")
        sees("delivered", "thread")
        button = browser.find_element(By.CSS_SELECTOR, ".quick button[value=C]")
        button.send_keys(Keys.ENTER)
        assert receiver.wait_for(1)[0].form["Body"] == "C"
        sees("received → 204", "thread")

        words = browser.find_element(By.ID, "words")
        words.send_keys("¿Puedo ir el viernes?", Keys.ENTER)
        assert receiver.wait_for(2)[1].form["Body"] == "¿Puedo ir el viernes?"
        WebDriverWait(browser, 15).until(lambda _: words.get_attribute("value") == "")

        exchange.create({"To": [PATIENT], "From": [SENDER], "Body": ["A person will call you."]})
        sees("A person will call you.", "thread")
        log = browser.get_log("browser")  # type: ignore[no-untyped-call]
        assert [entry for entry in log if entry["level"] == "SEVERE"] == []


def test_on_a_narrow_screen_nothing_is_cut_off(browser: WebDriver, receiver: Receiver) -> None:
    with Emulator(exchange_for(receiver)) as emulator:
        for last in range(100, 106):
            emulator.exchange.create({"To": [f"+12025550{last}"], "From": [SENDER], "Body": ["x" * 300]})
        size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(f"{emulator.url}/sandbox/phone")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 360
        send = browser.find_element(By.CSS_SELECTOR, ".send")
        assert send.rect["x"] + send.rect["width"] <= 360
        assert send.rect["y"] + send.rect["height"] <= 740
