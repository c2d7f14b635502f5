"""A machine's text is told from a person's."""

from __future__ import annotations

import pytest

from integration.domain.automatic_reply import is_automatic


@pytest.mark.parametrize(
    "body",
    [
        "I'm driving. I'll see your message when I get where I'm going.",
        "Automatic reply: I am out of the office until Monday",
        "AUTO-REPLY: thank you",
        "This mailbox is not monitored.",
        "Free Msg: Unable to deliver your message.",
        "Respuesta automática: estoy fuera de la oficina",
        "BEGIN:VCARD\nFN:Someone\nEND:VCARD",
        "data:image/png;base64,AAAA",
        "QUJD" * 40,
    ],
)
def test_a_machine_wrote_it(body: str) -> None:
    assert is_automatic(body)


@pytest.mark.parametrize(
    "body",
    [
        "C",
        "Yes, I'll be there",
        "I'm driving, call you later",
        "I will be out of town that day",
        "Is your office open on Monday?",
        "No puedo, estoy en la oficina",
        "",
        "https://example.com/a/very/long/path",
    ],
)
def test_a_person_wrote_it(body: str) -> None:
    assert not is_automatic(body)
