"""What the environment asks for becomes the right adapters, and the person who starts it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration import bootstrap
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.key_rotation import make
from integration.adapters.ehr.smart_backend import SmartBackend
from integration.domain.clock import wall_now
from integration.ports.ehr_store import AccessToken
from integration.settings.environment import read_environment
from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.mistakes import ConfigError
from integration.settings.model import FhirHearing
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from integration.settings.environment import Environment
    from integration.settings.model import Settings

TWILIO = {"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+15005550006"}


@pytest.fixture(scope="module")
def shipped() -> Settings:
    return load(SHIPPED)


def surroundings(tmp_path: Path, **variables: str) -> Environment:
    own = {"APPOINTMENT_TEXTS_DATA": str(tmp_path), "APPOINTMENT_TEXTS_DATA_KEY": TEST_DATA_KEY}
    return read_environment(own | variables)


def said(environment: Environment, settings: Settings) -> str:
    workshop = bootstrap.open_workshop(environment, settings)
    try:
        return "\n".join(bootstrap.on_and_off(environment, settings, workshop))
    finally:
        workshop.store.close()


def test_without_anything_nothing_is_texted_or_written_and_both_are_said(
    tmp_path: Path, shipped: Settings
) -> None:
    told = said(surroundings(tmp_path), shipped)
    assert 'reminders are held "no provider"' in told
    assert "outcomes are logged" in told


def test_an_emulator_on_this_machine_is_said_to_reach_no_phone(tmp_path: Path, shipped: Settings) -> None:
    environment = surroundings(tmp_path, TWILIO_API_BASE_URL="http://127.0.0.1:9", **TWILIO)
    assert "Texts go to http://127.0.0.1:9 on this machine, to no real phone." in said(environment, shipped)


def test_with_the_real_provider_test_mode_and_live_mode_are_told_apart(
    tmp_path: Path, shipped: Settings
) -> None:
    environment = surroundings(tmp_path, **TWILIO)
    assert "Test mode: twilio texts only the 0 allowed_numbers." in said(environment, shipped)
    assert "LIVE: twilio texts patients." in said(environment, replace(shipped, mode="live"))


def test_an_ehr_is_written_to_when_it_is_given(tmp_path: Path, shipped: Settings) -> None:
    environment = surroundings(tmp_path, EHR_FHIR_BASE_URL="http://127.0.0.1:9/fhir")
    assert "http://127.0.0.1:9/fhir" in said(environment, shipped)


def test_other_settings_speak_to_the_ehr_over_the_same_connection(tmp_path: Path, shipped: Settings) -> None:
    environment = surroundings(tmp_path, EHR_FHIR_BASE_URL="http://127.0.0.1:9/fhir")
    workshop = bootstrap.open_workshop(environment, shipped)
    other = bootstrap.with_settings(workshop, environment, replace(shipped, mode="live"), 2)
    workshop.store.close()
    assert workshop.ehr is not None
    assert other.ehr is workshop.ehr


def test_a_key_that_is_none_stops_the_start_without_a_word_of_it(tmp_path: Path, shipped: Settings) -> None:
    file = tmp_path / "key.pem"
    file.write_text("s3cret")
    environment = surroundings(tmp_path, EHR_PRIVATE_KEY_FILE=str(file))
    with pytest.raises(ConfigError, match="EHR_PRIVATE_KEY_FILE: it is no private key") as refused:
        bootstrap.open_workshop(environment, shipped)
    assert "s3cret" not in str(refused.value)


def test_as_a_client_we_speak_over_https_alone(tmp_path: Path, shipped: Settings) -> None:
    file = tmp_path / "keys.json"
    make(file, "ES384")
    given = {"EHR_CLIENT_ID": "texts", "EHR_PRIVATE_KEY_FILE": str(file)}
    environment = surroundings(tmp_path, EHR_FHIR_BASE_URL="http://ehr.example.org/fhir", **given)
    with pytest.raises(ConfigError, match="EHR_FHIR_BASE_URL: must be https"):
        bootstrap.open_workshop(environment, shipped)


def test_what_is_known_of_our_keys_and_scopes_is_said_at_the_start(tmp_path: Path, shipped: Settings) -> None:
    file = tmp_path / "keys.json"
    make(file, "ES384")
    file.chmod(0o644)
    given = {"EHR_CLIENT_ID": "texts", "EHR_PRIVATE_KEY_FILE": str(file)}
    environment = surroundings(tmp_path, EHR_FHIR_BASE_URL="http://127.0.0.1:9/fhir", **given)
    told = said(environment, shipped)
    assert "Our public keys are at http://127.0.0.1:8080/.well-known/jwks.json." in told
    assert "may be read by others on this machine" in told
    assert "did not grant" not in told
    scoped = replace(environment, ehr_scopes=("system/Patient.rs",))
    workshop = bootstrap.open_workshop(scoped, shipped)
    assert isinstance(workshop.ehr, FhirClient)
    assert isinstance(workshop.ehr.authorization, SmartBackend)
    name = workshop.ehr.authorization.name()
    with workshop.store.unit() as unit:
        unit.tokens.save(name, AccessToken("t", wall_now(), "system/Patient.r"))
    told = "\n".join(bootstrap.on_and_off(scoped, shipped, workshop))
    workshop.store.close()
    assert "The EHR did not grant system/Patient.s" in told


def test_a_feed_in_shadow_is_said(tmp_path: Path, shipped: Settings) -> None:
    shadow = replace(shipped.feeds["main"], state="shadow")
    told = said(surroundings(tmp_path), replace(shipped, feeds={"main": shadow}))
    assert "Feed main: shadow" in told


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("http://127.0.0.1:8090", True),
        ("http://[::1]:8090", True),
        ("http://localhost:8090", True),
        ("https://api.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("", False),
    ],
)
def test_the_calendar_runs_fast_only_where_no_text_can_leave(url: str, may: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of the table
    assert bootstrap.may_run_fast(surroundings(tmp_path, TWILIO_API_BASE_URL=url)) is may


def test_the_demo_calls_only_the_sandbox(tmp_path: Path) -> None:
    environment = surroundings(
        tmp_path, EHR_FHIR_BASE_URL="https://ehr.example.org", EHR_BEARER_TOKEN="t", **TWILIO
    )
    demo = bootstrap.for_demo(environment, None)
    assert demo.twilio_api_base_url == f"http://127.0.0.1:{environment.operator_port}"
    assert demo.twilio_account_sid != "AC0"
    assert demo.ehr_fhir_base_url is demo.ehr_bearer_token is None


def test_a_store_of_one_kind_is_never_opened_as_another(tmp_path: Path, shipped: Settings) -> None:
    environment = surroundings(tmp_path)
    bootstrap.open_workshop(environment, shipped, kind="simulated").store.close()
    assert bootstrap.kind_of_existing(environment) == "simulated"
    with pytest.raises(Exception, match="never opened for real data"):
        bootstrap.open_workshop(environment, shipped)


def test_looking_into_a_store_makes_none(tmp_path: Path) -> None:
    with pytest.raises(bootstrap.NoStore, match="There is no store"):
        bootstrap.open_existing_store(surroundings(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_fhir_feed_says_what_it_still_needs_before_it_hears(tmp_path: Path, shipped: Settings) -> None:
    ehr = {"EHR_FHIR_BASE_URL": "http://127.0.0.1:9/fhir"}
    secret = {"EHR_SUBSCRIPTION_SECRET": "one,two"}
    needs_a_place = "Feed ehr: EHR_FHIR_BASE_URL is not set, the EHR is not heard."
    needs_a_secret = (
        "Feed ehr: EHR_SUBSCRIPTION_SECRET is not set, notifications are refused; it is not asked"
    )
    hears = "Feed ehr: notifications at http://127.0.0.1:8080/fhir/subscriptions/ehr"
    assert needs_a_place in said(surroundings(tmp_path, **secret), shipped)
    assert needs_a_secret in said(surroundings(tmp_path, **ehr), shipped)
    assert hears in said(surroundings(tmp_path, **ehr, **secret), shipped)
    asking = replace(shipped.feeds["ehr"], fhir=FhirHearing(poll=timedelta(minutes=15)))
    told = said(surroundings(tmp_path, **ehr), replace(shipped, feeds={"ehr": asking}))
    assert "it is asked every 15 min what changed." in told


def test_the_secret_of_another_feed_is_named_after_it_and_one_of_no_feed_is_said(
    tmp_path: Path, shipped: Settings
) -> None:
    north = replace(shipped.feeds["ehr"], name="north-clinic")
    environment = surroundings(
        tmp_path,
        EHR_FHIR_BASE_URL="http://127.0.0.1:9/fhir",
        EHR_SUBSCRIPTION_SECRET="of nobody",
        EHR_SUBSCRIPTION_SECRET_NORTH_CLINIC="theirs",
    )
    told = said(environment, replace(shipped, feeds={"north-clinic": north}))
    assert "Feed north-clinic: notifications at" in told
    assert "EHR_SUBSCRIPTION_SECRET: no feed of that name has [fhir]." in told
    assert "theirs" not in told
    assert "of nobody" not in told
