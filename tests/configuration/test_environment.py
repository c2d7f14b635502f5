"""Secrets and places: the defaults, the files that hold secrets, and every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.settings.environment import LOOPBACK_SENDER, read_environment
from integration.settings.mistakes import ConfigError

TWILIO = {"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_AUTH_TOKEN": "t0k3n"}


def test_without_anything_it_is_a_private_product_on_this_machine() -> None:
    environment = read_environment({})
    assert (environment.config, environment.config_is_default) == (Path("config"), True)
    assert environment.data == Path("var")
    assert environment.bind == "127.0.0.1"
    assert (environment.mllp_port, environment.http_port, environment.operator_port) == (2575, 8080, 8081)
    assert environment.public_base_url == "http://127.0.0.1:8080"
    assert environment.database_url is environment.broker_url is environment.data_key is None
    assert environment.twilio_account_sid is environment.ehr_fhir_base_url is None


def test_ports_and_addresses_follow_the_http_port() -> None:
    environment = read_environment({"APPOINTMENT_TEXTS_HTTP_PORT": "9000"})
    assert (environment.operator_port, environment.public_base_url) == (9001, "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("APPOINTMENT_TEXTS_DATA_KEY", "data_key"),
        ("APPOINTMENT_TEXTS_DATABASE_URL", "database_url"),
        ("APPOINTMENT_TEXTS_BROKER_URL", "broker_url"),
        ("EHR_PRIVATE_KEY", "ehr_private_key"),
        ("EHR_BEARER_TOKEN", "ehr_bearer_token"),
    ],
)
def test_each_secret_may_lie_in_a_file(name: str, attribute: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    assert getattr(read_environment({f"{name}_FILE": str(file)}), attribute) == "s3cret"
    assert getattr(read_environment({name: "s3cret"}), attribute) == "s3cret"


def test_tokens_are_separated_by_commas_while_they_rotate(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("new, old\n")
    variables = {"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_FROM": "+15005550006"}
    environment = read_environment(variables | {"TWILIO_AUTH_TOKEN_FILE": str(file)})
    assert environment.twilio_auth_tokens == ("new", "old")


def test_on_loopback_a_sender_is_assumed_and_elsewhere_it_must_be_given() -> None:
    at_home = read_environment(TWILIO | {"TWILIO_API_BASE_URL": "http://127.0.0.1:9/"})
    assert (at_home.twilio_from, at_home.twilio_api_base_url) == (LOOPBACK_SENDER, "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="TWILIO_FROM: is missing"):
        read_environment(TWILIO)


def test_the_secret_without_a_source_belongs_to_the_source_ehr(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("c")
    environment = read_environment(
        {"EHR_SUBSCRIPTION_SECRET": "a,b", "EHR_SUBSCRIPTION_SECRET_NORTH_FILE": str(file)}
    )
    assert environment.subscription_secrets == {"ehr": ("a", "b"), "north": ("c",)}


WRONG = {
    "a port that is a word": ({"APPOINTMENT_TEXTS_MLLP_PORT": "mllp"}, "APPOINTMENT_TEXTS_MLLP_PORT"),
    "a port beyond all ports": ({"APPOINTMENT_TEXTS_HTTP_PORT": "70000"}, "APPOINTMENT_TEXTS_HTTP_PORT"),
    "one port for two": (
        {"APPOINTMENT_TEXTS_HTTP_PORT": "9000", "APPOINTMENT_TEXTS_MLLP_PORT": "9000"},
        "must differ",
    ),
    "an address without a scheme": ({"PUBLIC_BASE_URL": "texts.example.org"}, "PUBLIC_BASE_URL"),
    "an address with a password": ({"EHR_FHIR_BASE_URL": "https://a:s3cret@b/"}, "EHR_FHIR_BASE_URL"),
    "a token without its account": ({"TWILIO_AUTH_TOKEN": "s3cret"}, "TWILIO_ACCOUNT_SID: is missing"),
    "an account without its token": ({"TWILIO_ACCOUNT_SID": "AC0"}, "TWILIO_AUTH_TOKEN: is missing"),
    "a secret's file that is not there": (
        {"APPOINTMENT_TEXTS_DATA_KEY_FILE": "/nowhere/key"},
        "APPOINTMENT_TEXTS_DATA_KEY_FILE: names a file that cannot be read",
    ),
    "a client id without a key": ({"EHR_CLIENT_ID": "texts"}, "EHR_PRIVATE_KEY_FILE: is missing"),
    "two ways to get a token": (
        {"EHR_CLIENT_ID": "texts", "EHR_PRIVATE_KEY": "s3cret", "EHR_BEARER_TOKEN": "s3cret"},
        "EHR_BEARER_TOKEN: EHR_CLIENT_ID is given too",
    ),
    "a secret given twice": (
        {"EHR_BEARER_TOKEN": "s3cret", "EHR_BEARER_TOKEN_FILE": "/nowhere/token"},
        "give one of them",
    ),
}


@pytest.mark.parametrize(("variables", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_said_without_its_value(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_environment(variables)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_all_mistakes_are_said_at_once() -> None:
    variables = {name: value for each, _ in WRONG.values() for name, value in each.items()}
    with pytest.raises(ConfigError) as caught:
        read_environment(variables)
    assert len(caught.value.mistakes) > len(WRONG) // 2


def test_a_key_is_known_with_its_file_which_may_change(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("s3cret\n")
    environment = read_environment({"EHR_PRIVATE_KEY_FILE": str(file), "EHR_SCOPES": " system/*.rs  x "})
    assert (environment.ehr_private_key, environment.ehr_private_key_file) == ("s3cret", file)
    assert environment.ehr_scopes == ("system/*.rs", "x")
    assert read_environment({"EHR_PRIVATE_KEY": "s3cret"}).ehr_private_key_file is None


def test_no_secret_shows_when_the_environment_is_printed() -> None:
    secrets = ("APPOINTMENT_TEXTS_DATA_KEY", "EHR_BEARER_TOKEN", "EHR_PRIVATE_KEY", "EHR_SUBSCRIPTION_SECRET")
    environment = read_environment(
        TWILIO
        | {"TWILIO_FROM": "+15005550006"}
        | dict.fromkeys(secrets, "s3cret")
        | {"APPOINTMENT_TEXTS_DATABASE_URL": "postgresql://texts:s3cret@db/texts"}
    )
    assert "s3cret" not in repr(environment)
    assert "t0k3n" not in repr(environment)
