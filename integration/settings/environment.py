"""Secrets and places, from the environment; each secret also as `…_FILE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """What the surroundings say; see README of `config/` for each variable."""

    config: Path
    data: Path
    database_url: str | None
    broker_url: str | None
    data_key: str | None
    mllp_port: int
    http_port: int
    operator_port: int
    bind: str
    public_base_url: str
    twilio_account_sid: str | None
    twilio_auth_tokens: tuple[str, ...]
    twilio_from: str | None
    twilio_messaging_service_sid: str | None
    twilio_api_base_url: str | None
    ehr_fhir_base_url: str | None
    ehr_bearer_token: str | None
    variables: Mapping[str, str]  # all of it, for sources named in the configuration
