"""Secrets and places, from the environment; each secret also as `…_FILE`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from integration.settings.mistakes import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

# Twilio's magic number, which its emulators and test credentials take for a sender of ours.
LOOPBACK_SENDER: Final = "+15005550006"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
LARGEST_PORT: Final = 65535
_SUBSCRIPTION: Final = re.compile(r"EHR_SUBSCRIPTION_SECRET(?:_([A-Z0-9_]+?))?(?:_FILE)?")
_UNNAMED: Final = "ehr"  # whose variable needs no name
_FILE: Final = "environment"  # where its mistakes are said to be


@dataclass(frozen=True, slots=True)
class Environment:
    """What the surroundings say; the README's table explains each variable."""

    config: Path
    config_is_default: bool  # nobody named it, so the shipped one may stand in
    data: Path
    database_url: str | None = field(repr=False)
    broker_url: str | None = field(repr=False)
    data_key: str | None = field(repr=False)
    mllp_port: int
    http_port: int
    operator_port: int
    bind: str
    public_base_url: str  # without a trailing slash
    twilio_account_sid: str | None
    twilio_auth_tokens: tuple[str, ...] = field(repr=False)
    twilio_from: str | None
    twilio_messaging_service_sid: str | None
    twilio_api_base_url: str | None
    ehr_fhir_base_url: str | None
    ehr_client_id: str | None
    ehr_private_key: str | None = field(
        repr=False
    )  # PEM, JWK or JWK Set, the content of EHR_PRIVATE_KEY_FILE
    ehr_private_key_file: Path | None  # that file, which may change while we run
    ehr_scopes: tuple[str, ...]  # to ask for; empty: those the settings need
    ehr_bearer_token: str | None = field(repr=False)
    subscription_secrets: Mapping[str, tuple[str, ...]] = field(repr=False)  # by source

    @property
    def config_folder(self) -> Path | None:
        """The site's own folder, None when there is none and the shipped configuration serves."""
        return None if self.config_is_default and not self.config.exists() else self.config


def source_of(feed: str) -> str:
    """What the environment calls a FHIR feed: variables have no `-`."""
    return feed.replace("-", "_")


def secret_of(source: str) -> str:
    """The variable with its secrets: `north_clinic` has EHR_SUBSCRIPTION_SECRET_NORTH_CLINIC."""
    name = "EHR_SUBSCRIPTION_SECRET"
    return name if source == _UNNAMED else f"{name}_{source.upper()}"


def is_loopback(url: str | None) -> bool:
    """Whether a URL literally names this machine."""
    return url is not None and urlsplit(url).hostname in LOOPBACK


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read what the environment says; raises ConfigError with every mistake, but no value, in it."""
    return _Reading(variables).environment()


class _Reading:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name: value.strip() for name, value in variables.items() if value.strip()}
        self._mistakes: list[Mistake] = []

    def environment(self) -> Environment:
        http_port = self._port("APPOINTMENT_TEXTS_HTTP_PORT", 8080)
        operator_port = self._port("APPOINTMENT_TEXTS_OPERATOR_PORT", min(http_port + 1, LARGEST_PORT))
        config = self._variables.get("APPOINTMENT_TEXTS_CONFIG")
        twilio_api = self._url("TWILIO_API_BASE_URL")
        account, tokens = self._variables.get("TWILIO_ACCOUNT_SID"), self._secrets("TWILIO_AUTH_TOKEN")
        sender = self._variables.get("TWILIO_FROM")
        service = self._variables.get("TWILIO_MESSAGING_SERVICE_SID")
        if account and not sender and not service and is_loopback(twilio_api):
            sender = LOOPBACK_SENDER
        self._twilio(account, tokens, sender or service)
        environment = Environment(
            config=Path(config or "config"),
            config_is_default=config is None,
            data=Path(self._variables.get("APPOINTMENT_TEXTS_DATA", "var")),
            database_url=self._secret("APPOINTMENT_TEXTS_DATABASE_URL"),
            broker_url=self._secret("APPOINTMENT_TEXTS_BROKER_URL"),
            data_key=self._secret("APPOINTMENT_TEXTS_DATA_KEY"),
            mllp_port=self._port("APPOINTMENT_TEXTS_MLLP_PORT", 2575),
            http_port=http_port,
            operator_port=operator_port,
            bind=self._variables.get("APPOINTMENT_TEXTS_BIND", "127.0.0.1"),
            public_base_url=self._url("PUBLIC_BASE_URL") or f"http://127.0.0.1:{http_port}",
            twilio_account_sid=account,
            twilio_auth_tokens=tokens,
            twilio_from=sender,
            twilio_messaging_service_sid=service,
            twilio_api_base_url=twilio_api,
            ehr_fhir_base_url=self._url("EHR_FHIR_BASE_URL"),
            ehr_client_id=self._variables.get("EHR_CLIENT_ID"),
            ehr_private_key=self._secret("EHR_PRIVATE_KEY"),
            ehr_private_key_file=self._file("EHR_PRIVATE_KEY"),
            ehr_scopes=tuple(self._variables.get("EHR_SCOPES", "").split()),
            ehr_bearer_token=self._secret("EHR_BEARER_TOKEN"),
            subscription_secrets=self._subscriptions(),
        )
        self._ports(environment)
        self._ehr(environment)
        if self._mistakes:
            raise ConfigError(self._mistakes)
        return environment

    def _secret(self, name: str) -> str | None:
        """A variable, or the content of the file that `<name>_FILE` names."""
        file = self._variables.get(f"{name}_FILE")
        if file is None:
            return self._variables.get(name)
        if name in self._variables:
            self._note(f"{name}_FILE", f"{name} is given too; give one of them")
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            self._note(f"{name}_FILE", f"names a file that cannot be read ({type(error).__name__})")
            return None

    def _file(self, name: str) -> Path | None:
        """The file a secret is read from, if it is."""
        file = self._variables.get(f"{name}_FILE")
        return None if file is None else Path(file)

    def _secrets(self, name: str) -> tuple[str, ...]:
        parts = (self._secret(name) or "").split(",")
        return tuple(part for each in parts if (part := each.strip()))

    def _subscriptions(self) -> dict[str, tuple[str, ...]]:
        """The secrets of notification sources; the one without a name belongs to the source `ehr`."""
        found = {}
        for name in sorted(self._variables):
            match = _SUBSCRIPTION.fullmatch(name)
            if match:
                source = (match[1] or _UNNAMED).lower()
                found[source] = self._secrets(name.removesuffix("_FILE"))
        return found

    def _port(self, name: str, default: int) -> int:
        text = self._variables.get(name, str(default))
        if text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_PORT:
            return int(text)
        self._note(name, f"must be a port, 1 to {LARGEST_PORT}")
        return default

    def _url(self, name: str) -> str | None:
        text = self._variables.get(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.username or parts.query or parts.fragment:
            self._note(name, "must be an http(s) URL with nothing but host, port and path")
            return None
        return text.rstrip("/")

    def _twilio(self, account: str | None, tokens: tuple[str, ...], sender: str | None) -> None:
        if tokens and not account:
            self._note("TWILIO_ACCOUNT_SID", "is missing beside TWILIO_AUTH_TOKEN")
        if account and not tokens:
            self._note("TWILIO_AUTH_TOKEN", "is missing beside TWILIO_ACCOUNT_SID")
        if account and not sender:
            self._note(
                "TWILIO_FROM", "is missing beside TWILIO_ACCOUNT_SID (or TWILIO_MESSAGING_SERVICE_SID)"
            )

    def _ehr(self, environment: Environment) -> None:
        """A key alone is published, so that the EHR's team can register us; a client id needs one."""
        given = {"EHR_PRIVATE_KEY", "EHR_PRIVATE_KEY_FILE"} & self._variables.keys()
        if environment.ehr_client_id and not given:
            self._note("EHR_PRIVATE_KEY_FILE", "is missing beside EHR_CLIENT_ID")
        if environment.ehr_client_id and environment.ehr_bearer_token:
            self._note("EHR_BEARER_TOKEN", "EHR_CLIENT_ID is given too; give one of them")

    def _ports(self, environment: Environment) -> None:
        ports = (environment.mllp_port, environment.http_port, environment.operator_port)
        if len(set(ports)) < len(ports):
            self._note("APPOINTMENT_TEXTS_…_PORT", "the MLLP, HTTP and operator ports must differ")

    def _note(self, name: str, text: str) -> None:
        self._mistakes.append(Mistake(_FILE, name, text))
