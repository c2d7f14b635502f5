"""A folder where nearly everything is wrong: each mistake is said at once, in an engineer's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.settings.load import load
from integration.settings.mistakes import ConfigError

if TYPE_CHECKING:
    from integration.settings.mistakes import Mistake

FILES = {
    "feeds/east.toml": """
vendor = "generic"
zone = "America/New_York"
region = "US"
zone = "America/Chicago"
""",
    "feeds/none.toml": """
""",
    "feeds/north.toml": """
vendor = "epik"
zone = "EST5"
region = "us"
port = 99999
charset = "latin-9"
state = "livee"
processing_id = "PROD"
identity = ["SCH-2", "SCH", "PV1.19"]
indentity = ["SCH-2"]
oldest_event = "1 day"
scope = ""
[identifier_systems]
HOSP = 5
[locations.A]
practise = "riverside"
zone = "Mars/Base"
[locations]
B = "riverside"
""",
    "feeds/north.toml.txt": """
vendor = "torn"
zone = "America/New_York"
region = "US"
port = 2600
""",
    "feeds/south.toml": """
vendor = ["generic"]
zone = "America/New_York"
region = "US"
""",
    "feeds/torn.toml": """
vendor = "torn"
zone = "America/New_York"
region = "US"
port = 2600
""",
    "feeds/torn_too.toml": """
vendor = "torn"
zone = "America/New_York"
region = "US"
port = 2600
""",
    "feeds/west.toml": """
vendor = "generic
zone = "America/New_York"
""",
    "practices/river.toml": """
sms = "yes"
public_name = ""
phone = "call us"
zone = "America/New_York"
languages = "en"
consent = "impied"
max_segments = 0
price_per_segment = "cheap"
currency = "usd"
emergency = "nine one one"
[hours]
opens = "25:00"
[steps.booked]
of = true
""",
    "practices/second.toml": """
sms = true
public_name = "Second"
phone = "617-555-0100"
zone = "America/New_York"
languages = ["en", 5, "fr"]
consent = "implied"
caps = 5
""",
    "reminders.toml": """
settle = "2h"
evening = "19:00"
[hours]
opens = 9
closes = "20:00"
[caps]
per_day = 0
per_week = 3
[steps.booked]
on = "bookd"
ask = "sometimes"
[steps.five_days]
days_ahead = "5"
[steps.two_days]
days_ahead = 200
hours_ahead = 3
""",
    "settings.toml": """
mode = "lve"
allowed_numbers = "+12025550123"
[sending]
threads = "eight"
settle = -5
recheck_after = 15.5
[sendng]
threads = 3
""",
    "vendors/acme.toml": """
extends = "generic"
times = [{ start = "TQ1-7" }, { start = "TQ1-7" }]
confirmed = ["Cancelled"]
practitioner_types = "D"
[triggers]
"Z 1" = "S99"
[appointment]
identity = []
status = "SCH-25"
removed = [1]
kind = ["...", "..."]
[statuses]
boked = ["1"]
booked = ["...", "Cancelled"]
[durations]
unitless = "hours"
shortest_minutes = 2000
[phones]
offer = ["pager"]
sources = [{ path = "PID-13", kind = "cell" }, { path = "ZPN-1.2", kind_path = "ZPD-2", kind="home" }]
[guardian]
order = ["NK2"]
[guardian.sources.NK1]
role = ["GT1-3"]
[languages]
english = ["E"]
fr = ["Spanish"]
""",
    "vendors/child.toml": """
extends = "acme"
""",
    "vendors/loop.toml": """
extends = "loop"
""",
    "vendors/naked.toml": """
title = "no extends"
""",
    "vendors/of_torn.toml": """
extends = "torn"
""",
    "vendors/own.toml": """
extends = "epicc"
""",
    "vendors/torn.toml": """
extends = "generic"
title = "
""",
}

# File, key → what is said; "…" for what is allowed, where that is long.
SAID = [
    (
        "feeds/east.toml",
        "",
        "is not TOML: Cannot overwrite a value (at line 4, column 25); a key stands there twice",
    ),
    ("feeds/none.toml", "", "is empty"),
    ("feeds/north.toml", "charset", "unknown character set; allowed: …"),
    ("feeds/north.toml", "identifier_systems.HOSP", 'must be a text in quotes, such as "…"'),
    (
        "feeds/north.toml",
        "identity.1",
        "'SCH' is not an HL7 path; write SEG-field, as in PID-3, PID-3[2].1 or AIS[2]-4",
    ),
    (
        "feeds/north.toml",
        "identity.2",
        "'PV1.19' is not an HL7 path; write SEG-field, as in PID-3, PID-3[2].1 or AIS[2]-4",
    ),
    ("feeds/north.toml", "indentity", "unknown key; allowed: …; did you mean identity?"),
    (
        "feeds/north.toml",
        "locations.A.practice",
        "missing; it says: file name of the practice it belongs to, without .toml",
    ),
    (
        "feeds/north.toml",
        "locations.A.practise",
        "unknown key; allowed: place, practice, sensitive, zone; did you mean practice?",
    ),
    ("feeds/north.toml", "locations.A.zone", "must be a zone of the IANA list such as America/New_York"),
    ("feeds/north.toml", "locations.B", "must be a table, such as { key = … }"),
    (
        "feeds/north.toml",
        "oldest_event",
        'must be seconds, such as 180, or a text such as "45m", "12h" or "5d"',
    ),
    ("feeds/north.toml", "port", "must be at most 65535"),
    ("feeds/north.toml", "processing_id", "must have at most 3 character(s)"),
    (
        "feeds/north.toml",
        "region",
        "must be a country of ISO 3166, two capital letters such as US; did you mean US?",
    ),
    ("feeds/north.toml", "scope", "must have at least 1 character(s)"),
    ("feeds/north.toml", "state", "unknown word; allowed: live, shadow; did you mean live?"),
    ("feeds/north.toml", "vendor", "unknown vendor; allowed: …; did you mean epic?"),
    (
        "feeds/north.toml",
        "zone",
        "must be a zone of the IANA list such as America/New_York; did you mean EST?",
    ),
    ("feeds/north.toml.txt", "", "is not read: the name of a settings file ends in .toml"),
    ("feeds/south.toml", "vendor", 'must be a text in quotes, such as "…"'),
    ("feeds/torn_too.toml", "port", "feeds/torn.toml listens there; each feed needs a port of its own"),
    (
        "feeds/west.toml",
        "",
        "is not TOML: Illegal character '\\n' (at line 1, column 18); a text lacks its closing quote",
    ),
    (
        "practices/river.toml",
        "consent",
        "unknown word; allowed: express, implied, not_required; did you mean implied?",
    ),
    ("practices/river.toml", "currency", "must be a currency of ISO 4217, such as USD"),
    (
        "practices/river.toml",
        "emergency",
        "is not written as it should be; it says: the number for emergencies, said in urgent answers",
    ),
    ("practices/river.toml", "languages", 'must be a list, such as ["…", "…"]'),
    ("practices/river.toml", "max_segments", "must be at least 1"),
    ("practices/river.toml", "phone", 'must be a number as patients dial it, such as "617-555-0100"'),
    ("practices/river.toml", "price_per_segment", 'must be a price such as "0.0083"'),
    ("practices/river.toml", "public_name", "must have at least 1 character(s)"),
    ("practices/river.toml", "sms", "must be true or false, without quotes"),
    ("practices/river.toml", "steps.booked.of", "unknown key; allowed: …; did you mean off?"),
    ("practices/second.toml", "caps", "must be a table, such as { key = … }"),
    ("practices/second.toml", "languages.1", 'must be a text in quotes, such as "…"'),
    ("practices/second.toml", "languages.2", "there is no messages/fr.toml; allowed: en, en_GB, es"),
    ("reminders.toml", "caps.per_day", "must be at least 1"),
    ("reminders.toml", "hours.opens", 'must be a local time of day such as "09:00"'),
    ("reminders.toml", "settle", 'must be at most 3600 or "1h"'),
    ("reminders.toml", "steps.booked.ask", "unknown word; allowed: always, never, soon, unconfirmed"),
    (
        "reminders.toml",
        "steps.booked.on",
        "unknown word; allowed: booked, cancelled, moved; did you mean booked?",
    ),
    ("reminders.toml", "steps.five_days.days_ahead", "must be a whole number, without quotes"),
    ("reminders.toml", "steps.two_days.days_ahead", "must be at most 90"),
    ("settings.toml", "allowed_numbers", 'must be a list, such as ["…", "…"]'),
    ("settings.toml", "mode", "unknown word; allowed: live, test; did you mean live?"),
    (
        "settings.toml",
        "sending.recheck_after",
        'must be seconds, such as 180, or a text such as "45m", "12h" or "5d"',
    ),
    (
        "settings.toml",
        "sending.settle",
        'must be seconds, such as 180, or a text such as "45m", "12h" or "5d"',
    ),
    ("settings.toml", "sending.threads", "must be a whole number, without quotes"),
    (
        "settings.toml",
        "sendng",
        "unknown key; allowed: allowed_numbers, mode, sending; did you mean sending?",
    ),
    ("vendor", "", "unknown; allowed: …; did you mean vendors?"),
    ("vendors/acme.toml", "appointment.identity", "must have at least 1 item(s)"),
    (
        "vendors/acme.toml",
        "appointment.kind.2",
        '"..." stands for what the extended profile has in this list; here it stands for nothing more',
    ),
    ("vendors/acme.toml", "appointment.removed.0", 'must be a text in quotes, such as "…"'),
    ("vendors/acme.toml", "appointment.status", 'must be a list, such as ["…", "…"]'),
    (
        "vendors/acme.toml",
        "confirmed.0",
        "'cancelled' stands under statuses.cancelled, too; who has confirmed is booked",
    ),
    ("vendors/acme.toml", "durations.shortest_minutes", "is above longest_minutes, which is 1440"),
    ("vendors/acme.toml", "durations.unitless", "unknown word; allowed: minutes, seconds"),
    ("vendors/acme.toml", "guardian.order.0", "'NK2' is none of the sources; allowed: NK1, GT1, PID"),
    ("vendors/acme.toml", "guardian.sources.NK1.role.0", "must lie in NK1, as the first of its phones does"),
    ("vendors/acme.toml", "languages.english", "must be a language code of BCP 47, such as en, es or pt-BR"),
    ("vendors/acme.toml", "languages.fr", "'spanish' stands under 'es', too; take one of them out"),
    ("vendors/acme.toml", "phones.offer.0", "unknown word; allowed: home, mobile, unknown, work"),
    ("vendors/acme.toml", "phones.sources.0.kind", "unknown word; allowed: home, mobile, unknown, work"),
    ("vendors/acme.toml", "phones.sources.1.kind_path", "must lie in ZPN, where the number stands"),
    ("vendors/acme.toml", "practitioner_types", 'must be a list, such as ["…", "…"]'),
    ("vendors/acme.toml", "statuses.boked", "'1' stands under 'booked', too; take one of them out"),
    ("vendors/acme.toml", "statuses.boked", "unknown word; allowed: …; did you mean booked?"),
    (
        "vendors/acme.toml",
        "statuses.cancelled",
        "'cancelled' stands under 'booked', too; take one of them out",
    ),
    ("vendors/acme.toml", "times.1.start", "times.0 begins there already; this one is never reached"),
    ("vendors/acme.toml", "triggers.Z 1", "S99 is no trigger event that is mapped; allowed: …"),
    ("vendors/acme.toml", "triggers.Z 1", "write MSH-9.2 as in Z14, or MSH-9.1^MSH-9.2 as in ZSI^UPD"),
    ("vendors/loop.toml", "extends", "extends itself, by way of loop → loop"),
    (
        "vendors/naked.toml",
        "extends",
        'missing; a vendor that does not say everything begins with extends = "generic"',
    ),
    ("vendors/own.toml", "extends", "unknown vendor; allowed: …; did you mean epic?"),
    (
        "vendors/torn.toml",
        "",
        "is not TOML: Illegal character '\\n' (at line 2, column 10); a text lacks its closing quote",
    ),
]


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mistake, ...]:
    """All that is said of the folder."""
    folder = tmp_path_factory.mktemp("broken")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.lstrip(), encoding="utf-8")
    (folder / "vendor").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return caught.value.mistakes


def test_every_mistake_of_a_folder_is_said_at_once_with_file_key_and_remedy(
    mistakes: tuple[Mistake, ...],
) -> None:
    told = [(each.file, each.key, _shortened(each.text)) for each in mistakes]
    assert told == [(file, key, _shortened(text)) for file, key, text in SAID]


def _shortened(text: str) -> str:
    """Without the list of what is allowed, which grows with the product."""
    head, allowed, rest = text.partition("allowed: ")
    _, meant, word = rest.partition("; did you mean ")
    return f"{head}{allowed}{meant}{word}"


def test_no_mistake_is_in_the_words_of_a_validator(mistakes: tuple[Mistake, ...]) -> None:
    foreign = ("input should", "tuple", "dictionary", "pydantic", "validat", "[key]", "parse")
    assert [str(each) for each in mistakes if any(word in each.text for word in foreign)] == []


def test_what_only_refers_to_a_file_that_is_wrong_is_not_wrong_too(mistakes: tuple[Mistake, ...]) -> None:
    innocent = {"feeds/torn.toml", "vendors/child.toml", "vendors/of_torn.toml"}
    assert {each.file for each in mistakes} == set(FILES) - innocent | {"vendor"}
