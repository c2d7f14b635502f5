"""A wrong configuration is told as a whole: each mistake with its file, its key and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.mistakes import ConfigError
from integration.settings.plan_check import unknown_places
from tests import settings as tests_own

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


Edit = tuple[str, str, str]  # file, what stands in the shipped one ("" for all of it), what stands there now


def site(folder: Path, *edits: Edit) -> Path:
    """A site's folder with these files, each the shipped one with one thing changed."""
    for file, old, new in edits:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        shipped = (SHIPPED / file).read_text() if old else ""
        assert old in shipped, f"{file} has no {old!r}"
        path.write_text(shipped.replace(old, new) if old else new)
    return folder


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [str(mistake) for mistake in caught.value.mistakes]


PRACTICE = (SHIPPED / "practices" / "riverside.toml").read_text()

FEED = (SHIPPED / "feeds" / "main.toml").read_text()

# What is done to the shipped files → the beginning of what is said of it.
WRONG: Mapping[str, tuple[tuple[Edit, ...], str]] = {
    "an unknown key": (
        (("settings.toml", "threads = 8", "thread = 8"),),
        "settings.toml: sending.thread: unknown key; allowed: automatic_opt_outs_per_hour, final_after",
    ),
    "an unknown word": (
        (("settings.toml", '"test"\nallowed', '"tset"\nallowed'),),
        "settings.toml: mode: unknown word; allowed: live, test; did you mean test?",
    ),
    "too few looks": (
        (("settings.toml", "[15, 60, 180]", "[15]"),),
        "settings.toml: sending.uncertain_looks: must have at least 2 item(s)",
    ),
    "looks that do not grow": (
        (("settings.toml", "[15, 60, 180]", "[60, 15]"),),
        "settings.toml: sending: uncertain_looks must grow",
    ),
    "a duration without its unit": (
        (("settings.toml", '"15m"', '"15 minutes"'),),
        'settings.toml: sending.recheck_after: must be seconds, such as 180, or a text such as "45m"',
    ),
    "asking too often": (
        (("feeds/ehr.toml", '# poll = "15m"', 'poll = "5s"'),),
        'feeds/ehr.toml: fhir.poll: must be at least 60 or "1m"',
    ),
    "a port for a FHIR server": (
        (("feeds/ehr.toml", 'state = "live"', 'state = "live"\nport = 2580\nacknowledge = "msh"'),),
        "feeds/ehr.toml: port, acknowledge: of HL7 v2 feeds alone",
    ),
    "places asked about that are not named": (
        (("feeds/ehr.toml", '# poll = "15m"', 'poll_by = "location"\n# poll = "15m"'),),
        "feeds/ehr.toml: fhir.poll_by: asks location by location: write them in [locations]",
    ),
    "nothing to reconcile with": (
        (
            ("feeds/main.toml", 'state = "live"', 'scope = "south"\nstate = "live"'),
            ("feeds/ehr.toml", 'role = "create"', 'role = "reconcile"'),
        ),
        "feeds/ehr.toml: scope: no other feed of this scope tells of appointments; scopes of those that do:",
    ),
    "a wait without end": (
        (("reminders.toml", "settle = 180", 'settle = "2h"'),),
        'reminders.toml: settle: must be at most 3600 or "1h"',
    ),
    "a practice's wait without end": (
        (("practices/riverside.toml", "", "settle = 3601\n" + PRACTICE),),
        'practices/riverside.toml: settle: must be at most 3600 or "1h"',
    ),
    "a number without its country": (
        (("settings.toml", "allowed_numbers = []", 'allowed_numbers = ["202-555-0123"]'),),
        "settings.toml: allowed_numbers.0: must be a valid number with its country",
    ),
    "what is no TOML": (
        (("settings.toml", "", "mode = test"),),
        "settings.toml: is not TOML: Invalid value (at line 1",
    ),
    "an empty file": ((("settings.toml", "", "# nothing"),), "settings.toml: is empty"),
    "a file nobody reads": ((("setings.toml", "", "mode = 'live'"),), "setings.toml: unknown; allowed: "),
    "a step before and after": (
        (("reminders.toml", "days_ahead = 5", 'days_ahead = 5\non = "booked"'),),
        (
            "reminders.toml: steps.five_days: must hold exactly one of on, days_ahead, hours_ahead, "
            "days_after, hours_after; holds on, days_ahead"
        ),
    ),
    "a step at no time": (
        (("reminders.toml", "hours_ahead = 3", ""),),
        (
            "reminders.toml: steps.three_hours: must hold exactly one of on, days_ahead, hours_ahead, "
            "days_after, hours_after; holds none"
        ),
    ),
    "an evening at night": (
        (("reminders.toml", '"19:00"', '"22:00"'),),
        "reminders.toml: evening must lie within hours",
    ),
    "a time that is none": (
        (("reminders.toml", '"20:00"', '"8 pm"'),),
        'reminders.toml: hours.closes: must be a local time of day such as "09:00"',
    ),
    "a step nobody has words for": (
        (("reminders.toml", "[steps.two_days]", "[steps.two_day]"),),
        "reminders.toml: steps.two_day: messages/en.toml has no text for this step; allowed: ",
    ),
    "an unknown vendor": (
        (("feeds/main.toml", '"generic"', '"genric"'),),
        "feeds/main.toml: vendor: unknown vendor; allowed: ",
    ),
    "an unknown zone": (
        (("feeds/main.toml", "America/New_York", "America/New_Yrok"),),
        (
            "feeds/main.toml: zone: must be a zone of the IANA list such as America/New_York; "
            "did you mean America/New_York?"
        ),
    ),
    "an unknown country": (
        (("feeds/main.toml", '"US"', '"USA"'),),
        "feeds/main.toml: region: must be a country of ISO 3166",
    ),
    "an unknown practice": (
        (("feeds/main.toml", "[locations]", '[locations.RIVER]\npractice = "rivrside"'),),
        (
            "feeds/main.toml: locations.RIVER.practice: unknown practice; allowed: riverside; "
            "did you mean riverside?"
        ),
    ),
    "a path that is none": (
        (("feeds/main.toml", 'processing_id = "P"', 'identity = ["SCH2"]'),),
        "feeds/main.toml: identity.0: 'SCH2' is not an HL7 path",
    ),
    "a system that is no URI": (
        (("feeds/main.toml", "[identifier_systems]", '[identifier_systems]\nA = "MRN"'),),
        "feeds/main.toml: identifier_systems.A: must be a FHIR identifier system",
    ),
    "two feeds on one port": (
        (("feeds/main.toml", "", FEED), ("feeds/other.toml", "", FEED)),
        "feeds/other.toml: port: feeds/main.toml listens there",
    ),
    "a feed whose name cannot stand in a URL": (
        (("feeds/Main Street.toml", "", FEED),),
        "feeds/Main Street.toml: its name may hold small letters, digits, - and _",
    ),
    "an unknown language": (
        (("practices/riverside.toml", '"es"', '"xx"'),),
        "practices/riverside.toml: languages.1: there is no messages/xx.toml; allowed: en, en_GB, es",
    ),
    "a missing key": (
        (("practices/riverside.toml", 'consent = "implied"', ""),),
        "practices/riverside.toml: consent: missing; it says: express: a recorded yes",
    ),
    "a policy nobody knows": (
        (("practices/riverside.toml", '"implied"', '"implyed"'),),
        (
            "practices/riverside.toml: consent: unknown word; allowed: express, implied, not_required; "
            "did you mean implied?"
        ),
    ),
    "a practice's own step gone wrong": (
        (("practices/riverside.toml", "", PRACTICE + "\n[steps.two_days]\ndays_ahaed = 3\n"),),
        "practices/riverside.toml: steps.two_days.days_ahaed: unknown key; allowed: ",
    ),
    "a practice's own step that no language has words for": (
        (("practices/riverside.toml", "", PRACTICE + "\n[steps.seven_days]\ndays_ahead = 7\n"),),
        "practices/riverside.toml: steps.seven_days: messages/en.toml has no text for this step; allowed: ",
    ),
    "a practice's step that asks where no text asks": (
        (
            (
                "practices/riverside.toml",
                "",
                PRACTICE + '\n[steps.a_week]\ndays_ahead = 7\ntext = "thank_you"\nask = "always"\n',
            ),
        ),
        "practices/riverside.toml: steps.a_week: messages/en.toml has no text that asks on this occasion; ",
    ),
    "a step that asks about a visit that is over": (
        (("practices/riverside.toml", "", PRACTICE + '\n[steps.thank_you]\nask = "always"\n'),),
        "practices/riverside.toml: steps.thank_you: asks to confirm a visit that is over or called off",
    ),
    "a step that asks about a visit called off": (
        (("reminders.toml", 'on = "cancelled"', 'on = "cancelled"\nask = "soon"'),),
        "reminders.toml: steps.cancelled: asks to confirm a visit that is over or called off",
    ),
    "a cancellation kept from who confirmed": (
        (("reminders.toml", 'on = "cancelled"', 'on = "cancelled"\nwhen_confirmed = "nothing"'),),
        "reminders.toml: steps.cancelled: who has confirmed must hear of a cancellation",
    ),
    "a step useful until before it is due": (
        (("reminders.toml", 'useful_until = "45m"', 'useful_until = "4h"'),),
        "reminders.toml: steps.three_hours: useful_until ends before the step is due",
    ),
    "a thank-you useful until before it is due": (
        (
            (
                "practices/riverside.toml",
                "",
                PRACTICE + '\n[steps.thank_you]\noff = false\nuseful_until = "1h"\n',
            ),
        ),
        "practices/riverside.toml: steps.thank_you: useful_until ends before the step is due",
    ),
    "two steps at one time": (
        (
            (
                "practices/riverside.toml",
                "",
                PRACTICE + '\n[steps.also]\ndays_ahead = 2\ntext = "two_days"\n',
            ),
        ),
        "practices/riverside.toml: steps.also: goes at the same time as two_days",
    ),
    "two steps on one event": (
        (
            (
                "practices/riverside.toml",
                "",
                PRACTICE + '\n[steps.also]\non = "booked"\ntext = "booked"\n',
            ),
        ),
        "practices/riverside.toml: steps.also: never goes: booked follows the same event, and comes first",
    ),
    "two practices that take what nobody claims": (
        (("practices/riverside.toml", "", PRACTICE), ("practices/second.toml", "", PRACTICE)),
        "practices/second.toml: serves_unclaimed: so does riverside",
    ),
    "a name too long for a text": (
        (("practices/riverside.toml", "Riverside Clinic", "The Riverside Clinic for Children and Parents"),),
        "practices/riverside.toml: public_name: ",
    ),
    "a vendor who extends nobody": (
        (("vendors/acme.toml", "", 'extends = "genric"'),),
        "vendors/acme.toml: extends: ",
    ),
    "a vendor's path that is none": (
        (("vendors/acme.toml", "", 'extends = "generic"\n[appointment]\nstatus = ["SCH25"]'),),
        "vendors/acme.toml: appointment.status.0: 'SCH25' is not an HL7 path",
    ),
    "a name that tells": (
        (("practices/riverside.toml", '"Riverside Clinic"', '"Riverside Oncology"'),),
        'practices/riverside.toml: public_name: "oncology": clinical content in every text; choose a plainer',
    ),
    "a language that extends nobody": (
        (("messages/en_XX.toml", "", 'extends = "eng"'),),
        "messages/en_XX.toml: extends: unknown language; allowed: ",
    ),
    "a language that says too little": (
        (("messages/xx.toml", "", 'locale = "en_US"'),),
        "messages/xx.toml: texts: missing; must be a table",
    ),
    "a file whose name ends otherwise": (
        (("vendors/acme.TOML", "", 'extends = "generic"'),),
        "vendors/acme.TOML: is not read: the name of a settings file ends in .toml",
    ),
    "a key of a vendor's list of tables": (
        (("vendors/acme.toml", "", 'extends = "generic"\ntimes = [{ strat = "TQ1-7" }]'),),
        "vendors/acme.toml: times.0.strat: unknown key; allowed: duration, duration_unit, end, offset",
    ),
    "a key of the vendor's file in its last table": (
        (("vendors/acme.toml", "", 'extends = "generic"\n[statuses]\nconfirmed = ["YES"]'),),
        (
            "vendors/acme.toml: statuses.confirmed: unknown word; allowed: arrived, booked, cancelled, "
            "checked-in, entered-in-error, fulfilled, noshow, pending, proposed, waitlist; "
            "confirmed of the file itself stands above the first [table]"
        ),
    ),
    "a key of the feed's file among its places": (
        (("feeds/main.toml", "", FEED + "\nport = 2576\n"),),
        (
            "feeds/main.toml: locations.port: must be a table, such as { key = … }; "
            "port of the file itself stands above the first [table]"
        ),
    ),
    "a key deep in a vendor's tables": (
        (("vendors/acme.toml", "", 'extends = "generic"\n[guardian.sources.NK1]\nphone = []'),),
        "vendors/acme.toml: guardian.sources.NK1.phone: unknown key; allowed: begins, died, died_at, ends",
    ),
    "an error code of no kind": (
        (("error_codes.toml", "", '[twilio]\n21211 = "bad number"'),),
        "error_codes.toml: twilio.21211: 'bad number' is none of bad_number",
    ),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_said_with_file_key_and_remedy(
    changes: tuple[Edit, ...], said: str, tmp_path: Path
) -> None:
    told = mistakes(site(tmp_path, *changes))
    assert any(mistake.startswith(said) for mistake in told), told


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    site(
        tmp_path,
        ("settings.toml", "", 'mode = "lvie"\nallowed_numbers = ["1"]'),
        ("reminders.toml", "settle = 180", 'settle = "2 weeks"'),
        ("feeds/main.toml", '"generic"', '"genric"'),
        ("practices/riverside.toml", '"es"', '"xx"'),
        ("error_codes.toml", "", '[twilio]\n1 = "?"'),
    )
    told = [(file, key) for file, key, _ in (mistake.split(": ", 2) for mistake in mistakes(tmp_path))]
    assert told == [
        ("error_codes.toml", "twilio.1"),
        ("feeds/main.toml", "vendor"),
        ("practices/riverside.toml", "languages.1"),
        ("reminders.toml", "settle"),
        ("settings.toml", "allowed_numbers.0"),
        ("settings.toml", "mode"),
    ]


def test_a_mistake_hides_no_other_of_the_same_file(tmp_path: Path) -> None:
    place = '[locations.RIVER]\npractice = "rivrside"'
    feed = FEED.replace('"generic"', '"genric"').replace('"US"', '"USA"').replace("[locations]", place)
    practice = PRACTICE.replace('"es"', '"xx"').replace("consent =", "concent =")
    site(tmp_path, ("feeds/main.toml", "", feed), ("practices/riverside.toml", "", practice))
    told = [(file, key) for file, key, _ in (mistake.split(": ", 2) for mistake in mistakes(tmp_path))]
    assert told == [
        *(("feeds/main.toml", key) for key in ("locations.RIVER.practice", "region", "vendor")),
        *(("practices/riverside.toml", key) for key in ("concent", "consent", "languages.1")),
    ]


def test_a_backup_beside_a_file_is_left_alone(tmp_path: Path) -> None:
    site(tmp_path, ("feeds/main.toml~", "", "?"), ("feeds/main.toml.bak", "", "?"))
    assert list(load(tmp_path).feeds) == list(load(SHIPPED).feeds)


def test_a_table_that_is_missing_is_said_once(tmp_path: Path) -> None:
    told = mistakes(site(tmp_path, ("messages/xx.toml", "", 'locale = "en_US"')))
    assert "messages/xx.toml: answers: missing; must be a table" in told
    assert [each for each in told if each.startswith("messages/xx.toml: answers.")] == []


def test_a_number_is_never_repeated(tmp_path: Path) -> None:
    site(tmp_path, ("settings.toml", "", 'allowed_numbers = ["6175550100"]'))
    assert "6175550100" not in " ".join(mistakes(tmp_path))


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "nowhere") == [f"{tmp_path / 'nowhere'}: there is no such folder"]


def test_an_empty_folder_is_the_shipped_configuration(tmp_path: Path) -> None:
    ours, shipped = load(tmp_path), load(SHIPPED)
    assert (ours.feeds, ours.practices, ours.failures) == (shipped.feeds, shipped.practices, shipped.failures)
    assert set(ours.catalogs) == set(shipped.catalogs)


def test_a_site_writes_only_what_differs(tmp_path: Path) -> None:
    own_plan = (
        'settle = 60\n[hours]\ncloses = "19:30"\n[caps]\nper_day = 2\n'
        '[steps.five_days]\noff = true\n[steps.two_days]\nat = "09:30"\n'
    )
    site(
        tmp_path,
        ("practices/hillside.toml", "", PRACTICE.replace("Riverside", "Hillside") + own_plan),
        ("feeds/main.toml", "America/New_York", "America/Chicago"),
    )
    settings = load(tmp_path)
    assert list(settings.practices) == ["hillside"]
    hillside = settings.practices["hillside"]
    assert (hillside.public_name, hillside.caps.per_day, hillside.caps.per_week) == ("Hillside Clinic", 2, 3)
    assert (hillside.plan.settle, hillside.plan.hours.closes) == (timedelta(seconds=60), time(19, 30))
    assert [step.name for step in hillside.plan.steps] == [
        *("booked", "two_days", "three_hours", "moved", "cancelled")
    ]
    assert hillside.plan.steps[1].at == time(9, 30)
    assert str(settings.feeds["main"].zone) == "America/Chicago"
    assert {"en", "es"} <= set(settings.catalogs)
    assert "generic" in settings.vendors


def test_settle_can_be_set_for_the_whole_site(tmp_path: Path) -> None:
    site(tmp_path, ("settings.toml", "", "[sending]\nsettle = 0\n"))
    assert load(tmp_path).practices["riverside"].plan.settle == timedelta(0)


def test_the_shipped_plan_is_the_one_the_tests_know() -> None:
    shipped = load(SHIPPED).practices["riverside"].plan
    assert shipped.steps == tests_own.STEPS
    off = ("no_show", "thank_you")
    assert shipped == replace(tests_own.practice().plan, settle=timedelta(seconds=180), off=off)


def test_a_practice_gives_a_shipped_step_another_kind_of_time(tmp_path: Path) -> None:
    own = PRACTICE + "\n[steps.thank_you]\noff = false\ndays_after = 1\n"
    plan = load(site(tmp_path, ("practices/riverside.toml", "", own))).practices["riverside"].plan
    step = plan.step("thank_you")
    assert step is not None
    assert (step.days_after, step.hours_after, step.names_visit) == (1, None, False)


def test_a_step_on_an_event_may_have_a_sister_for_other_visits(tmp_path: Path) -> None:
    own = PRACTICE + '\n[steps.booked]\ntypes = ["NEW"]\n[steps.also]\non = "booked"\ntext = "booked"\n'
    plan = load(site(tmp_path, ("practices/riverside.toml", "", own))).practices["riverside"].plan
    assert {step.name for step in plan.steps} >= {"booked", "also"}


def test_an_office_is_closed_on_the_days_on_which_nobody_is_texted_but_for_weekdays(tmp_path: Path) -> None:
    own = PRACTICE + (
        '\n[hours]\nquiet_days = ["sunday", "2027-03-09", "US"]\n'
        '[office]\ndays = ["sun", "mon", "tue"]\nopens = "08:00"\ncloses = "17:00"\n'
    )
    practice = load(site(tmp_path, ("practices/riverside.toml", "", own))).practices["riverside"]
    assert practice.office is not None
    zone = practice.plan.zone
    days = (datetime(2027, 3, day, 12, tzinfo=zone) for day in (7, 8, 9))  # Sunday to Tuesday
    assert [practice.office.is_open(day, zone) for day in days] == [True, True, False]
    assert not practice.office.is_open(datetime(2027, 5, 31, 12, tzinfo=zone), zone)  # Memorial Day


def test_a_place_that_no_feed_names_is_pointed_out_and_no_mistake(tmp_path: Path) -> None:
    own = PRACTICE + '\n[steps.two_days]\nlocations = ["RIVRE"]\n'
    settings = load(site(tmp_path, ("practices/riverside.toml", "", own)))
    (told,) = unknown_places(settings)
    assert told.startswith('practices/riverside.toml: steps.two_days: no feed names the location "rivre"')
