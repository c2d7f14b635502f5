"""The one wiring file: what the environment and the settings ask for becomes adapters behind ports.

Everything is imported where it is needed: the listener must stay small.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from integration.domain.clock import RealClock, wall_now
from integration.settings.environment import is_loopback
from integration.settings.mistakes import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from integration.adapters.chart import Chart
    from integration.adapters.ehr.examining import Examination
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.adapters.ehr.mllp_connection import Line
    from integration.adapters.ehr.signing_keys import KeyRing
    from integration.adapters.ehr.tools import Tools
    from integration.adapters.store.inbox import GroupInbox
    from integration.adapters.store.stamp import Kind
    from integration.adapters.store.unit_of_work import SqlStore
    from integration.domain.clock import Clock
    from integration.ports.ehr_reading import EhrReader
    from integration.ports.ehr_subscribing import EhrSubscriber
    from integration.ports.hl7 import Hl7Sender
    from integration.ports.sms import SmsProvider
    from integration.ports.store import Store
    from integration.ports.workshop import Workshop
    from integration.settings.environment import Environment
    from integration.settings.model import Hl7Partner, Settings

TOKEN_BYTES = 24  # of an attempt's token
_DATABASE = "appointment-texts.sqlite"


def database_url(environment: Environment) -> str:
    """The database that was asked for, or a SQLite file in the data folder."""
    return environment.database_url or f"sqlite:///{(environment.data / _DATABASE).absolute()}"


class NoStore(Exception):
    """There is no store yet where one was to be looked into."""


def kind_of_existing(environment: Environment) -> Kind:
    """What the store that is there was made for. Raises NoStore, StoreUnavailable."""
    from integration.adapters.store.stamp import read_stamp

    stamp = read_stamp(database_url(environment))
    if stamp is None:
        where = "APPOINTMENT_TEXTS_DATABASE_URL" if environment.database_url else str(environment.data)
        raise NoStore(f"There is no store in {where} yet; `appointment-texts run` makes one.")
    return stamp.kind  # type: ignore[return-value] # the table allows nothing else


def open_existing_store(environment: Environment) -> SqlStore:
    """The store that is there, of whatever kind, to look into. Raises NoStore."""
    return open_store(environment, kind=kind_of_existing(environment), units=1)


def demo_places(environment: Environment) -> Environment:
    """Where `run --demo` keeps what it keeps."""
    return replace(environment, data=environment.data / "demo", database_url=None, data_key=None)


def open_store(environment: Environment, *, kind: Kind, units: int = 4) -> SqlStore:
    """The store, made or migrated if need be. Raises WrongStamp, WrongKey, StoreUnavailable."""
    from integration.adapters.store.opening import open_store as open_it

    return open_it(
        database_url(environment),
        data_directory=environment.data,
        data_key=environment.data_key,
        stamp=kind,
        pool_size=units,
    )


def open_inbox(environment: Environment, *, kind: Kind) -> GroupInbox:
    """The listener's own door to the store: its group commit. Raises as `open_store` does."""
    from integration.adapters.store.inbox import open_inbox as open_it

    return open_it(
        database_url(environment),
        data_directory=environment.data,
        data_key=environment.data_key,
        stamp=kind,
    )


def open_workshop(
    environment: Environment,
    settings: Settings,
    *,
    kind: Kind = "real",
    clock: Clock | None = None,
    simulated: bool = False,
    knock: Callable[[str], None] = lambda step: None,  # noqa: ARG005 - by default nobody is told
) -> Workshop:
    """Everything the pipeline's steps work with. Raises as `open_store` does."""
    from integration.ports.workshop import Workshop

    store = open_store(environment, kind=kind, units=settings.sending.threads + 8)
    ehr = fhir_client(environment, settings, store)
    chart = write_back(settings, ehr)
    return Workshop(
        store=store,
        sms=provider(environment, settings),
        write_back=chart,
        servers=chart.servers,
        ehr=ehr,
        subscriber=subscriber(environment, ehr),
        reader=reader(ehr),
        clock=clock or RealClock(),
        settings=settings,
        public_base_url=environment.public_base_url,
        new_token=lambda: secrets.token_urlsafe(TOKEN_BYTES),
        random=random.random,
        simulated=simulated,
        partners=partners(settings),
        knock=knock,
    )


def with_settings(
    workshop: Workshop, environment: Environment, settings: Settings, generation: int
) -> Workshop:
    """The same workshop by other settings: what is made of them is made anew, all else stays."""
    chart = write_back(settings, _need(_the_client(workshop), settings))
    return replace(
        workshop,
        sms=provider(environment, settings),
        write_back=chart,
        servers=chart.servers,
        settings=settings,
        partners=partners(settings),
        generation=generation,
    )


def provider(environment: Environment, settings: Settings) -> SmsProvider | None:
    """Twilio when an account is given, else none: reminders are held."""
    if environment.twilio_account_sid is None:
        return None
    from integration.adapters.sms import twilio

    return twilio.build(
        twilio.TwilioAccount(
            account_sid=environment.twilio_account_sid,
            auth_tokens=environment.twilio_auth_tokens,
            sender=environment.twilio_from,
            messaging_service_sid=environment.twilio_messaging_service_sid,
            api_base_url=environment.twilio_api_base_url,
            error_codes=settings.failures,
            threads=settings.sending.threads,
        )
    )


def partners(settings: Settings) -> dict[str, Hl7Sender]:
    """Who hears application acknowledgments, by feed."""
    from integration.adapters.ehr.hl7_sender import Line, MllpSender

    return {
        feed.name: MllpSender(Line(how.host, how.port, how.answer, how.timeout.total_seconds(), how.tls))
        for feed in settings.feeds.values()
        if (how := feed.application_acknowledgment) is not None
    }


def fhir_client(environment: Environment, settings: Settings, store: Store) -> FhirClient | None:
    """The EHR's FHIR server, None when there is none; one a process is enough, threads may share it.

    Raises ConfigError when we cannot say who we are.
    """
    base_url = environment.ehr_fhir_base_url
    keys = signing_keys(environment)
    if base_url is None:
        return None
    from integration.adapters.ehr.authorization import FixedToken
    from integration.adapters.ehr.fhir_client import FhirClient

    if environment.ehr_client_id is None or keys is None:
        return FhirClient(base_url, authorization=FixedToken(environment.ehr_bearer_token))
    from integration.adapters.ehr.scopes import needs
    from integration.adapters.ehr.smart_backend import Registration, SmartBackend
    from integration.adapters.ehr.smart_discovery import is_safe

    if not is_safe(base_url):
        raise ConfigError([Mistake("environment", "EHR_FHIR_BASE_URL", "must be https beside EHR_CLIENT_ID")])
    registration = Registration(base_url, environment.ehr_client_id, environment.ehr_scopes)
    return FhirClient(base_url, authorization=SmartBackend(registration, keys, needs(settings), store))


def signing_keys(environment: Environment) -> KeyRing | None:
    """Our keys towards the EHR, None when there are none. Raises ConfigError, without a word of them."""
    if environment.ehr_private_key is None:
        return None
    from integration.adapters.ehr.signing_keys import BadKey, KeyRing

    file = environment.ehr_private_key_file
    try:
        return KeyRing(environment.ehr_private_key, file)
    except BadKey as error:
        variable = "EHR_PRIVATE_KEY_FILE" if file else "EHR_PRIVATE_KEY"
        raise ConfigError([Mistake("environment", variable, str(error))]) from None


def _need(client: FhirClient | None, settings: Settings) -> FhirClient | None:
    """The same client, which asks for the scopes that these settings need."""
    from integration.adapters.ehr.scopes import needs
    from integration.adapters.ehr.smart_backend import SmartBackend

    if client is not None and isinstance(client.authorization, SmartBackend):
        client.authorization.need(needs(settings))
    return client


def reader(client: FhirClient | None) -> EhrReader | None:
    """Who reads the EHR's FHIR server for its feeds, where there is one."""
    if client is None:
        return None
    from integration.adapters.ehr.capabilities import Capabilities
    from integration.adapters.ehr.reader import FhirReader

    return FhirReader(client, Capabilities(client))


def other_channels(
    environment: Environment, settings: Settings, store: Store, days: tuple[datetime, datetime]
) -> Mapping[str, int] | str:
    """How often the EHR reached patients otherwise, by channel; or why that cannot be told."""
    client = fhir_client(environment, settings, store)
    if client is None:
        return "EHR_FHIR_BASE_URL is not set"
    from integration.adapters.ehr.channels import by_channel

    try:
        return by_channel(client, *days)
    finally:
        client.close()


def subscriber(environment: Environment, client: FhirClient | None) -> EhrSubscriber | None:
    """Who makes Subscriptions on the EHR, None where there is none."""
    if client is None:
        return None
    from integration.adapters.ehr.capabilities import Capabilities
    from integration.adapters.ehr.subscribing import FhirSubscriber

    return FhirSubscriber(client, Capabilities(client), environment.subscription_secrets)


def _the_client(workshop: Workshop) -> FhirClient | None:
    """The one the workshop was opened with; only this file makes workshops."""
    return cast("FhirClient | None", workshop.ehr)


def write_back(settings: Settings, client: FhirClient | None) -> Chart:
    """The chart: by whatever way the EHR takes, or the log alone."""
    from integration.adapters.chart import Chart

    return Chart(chart_tools(settings, client))


def _line(how: Hl7Partner) -> Line:
    """To the EHR's own MLLP port."""
    from integration.adapters.ehr.mllp_connection import Line

    return Line(how.host, how.port, "accept", how.timeout.total_seconds(), how.tls)


def trouble_with_partner(how: Hl7Partner) -> str | None:
    """Why the EHR's MLLP port cannot be reached, None when it can; nothing is sent."""
    from integration.adapters.ehr.mllp_connection import trouble_with

    return trouble_with(_line(how))


def examine_ehr(environment: Environment, settings: Settings) -> Examination:
    """What the EHR's FHIR server allows; without a store, so a token is fetched and kept by nobody."""
    from integration.adapters.chart import mode_names
    from integration.adapters.ehr.capabilities import Capabilities
    from integration.adapters.ehr.examining import examine
    from integration.adapters.ehr.linking import Linker
    from integration.adapters.ehr.tools import FhirTools
    from integration.testing.store import FakeStore

    client = fhir_client(environment, settings, FakeStore())
    assert client is not None  # noqa: S101 - the caller has looked
    try:
        fhir = FhirTools(client, Capabilities(client), Linker(client))
        return examine(fhir, settings.write_back, mode_names())
    finally:
        client.close()


def chart_tools(settings: Settings, client: FhirClient | None) -> Tools:
    """What the ways to the chart are built with."""
    from integration.adapters.ehr.tools import FhirTools, Tools

    def organization(practice: str | None) -> str:
        known = settings.practices.get(practice or "")
        return "" if known is None else known.public_name

    fhir = None
    if client is not None:
        from integration.adapters.ehr.capabilities import Capabilities
        from integration.adapters.ehr.linking import Linker

        fhir = FhirTools(client, Capabilities(client), Linker(client))
    partner: Hl7Sender | None = None
    if (how := settings.write_back.hl7) is not None:
        from integration.adapters.ehr.hl7_sender import MllpSender
        from integration.adapters.ehr.one_at_a_time import OneAtATime

        partner = OneAtATime(MllpSender(_line(how)), wall_now)
    return Tools(settings.write_back, organization, wall_now, fhir, partner)


def may_run_fast(environment: Environment) -> bool:
    """Whether the calendar may run by itself: only where no text can leave this machine."""
    return is_loopback(environment.twilio_api_base_url)


def for_demo(environment: Environment, ehr_base_url: str | None) -> Environment:
    """The sandbox's telephone network, and its EHR or none, whatever else was asked for."""
    from integration.sandbox.behaviour import ACCOUNT, SENDER, TOKEN

    return replace(
        environment,
        public_base_url=f"http://127.0.0.1:{environment.http_port}",
        twilio_account_sid=ACCOUNT,
        twilio_auth_tokens=(TOKEN,),
        twilio_from=SENDER,
        twilio_messaging_service_sid=None,
        twilio_api_base_url=f"http://127.0.0.1:{environment.operator_port}",
        ehr_fhir_base_url=ehr_base_url,
        ehr_client_id=None,
        ehr_private_key=None,
        ehr_private_key_file=None,
        ehr_scopes=(),
        ehr_bearer_token=None,
        subscription_secrets={},
    )


def _who_we_are(environment: Environment, workshop: Workshop) -> list[str]:
    """What a person should know of our keys and scopes; the EHR is not asked."""
    from integration.adapters.ehr.smart_backend import SmartBackend

    lines = []
    keys = signing_keys(environment)
    if keys is not None:
        lines.append(f"Our public keys are at {environment.public_base_url}/.well-known/jwks.json.")
        if keys.is_open_to_others():
            lines.append("EHR_PRIVATE_KEY_FILE may be read by others on this machine: chmod 600.")
    client = _the_client(workshop)
    if client is not None and isinstance(client.authorization, SmartBackend):
        lacking = client.authorization.missing()
        if lacking:
            lines.append(f"The EHR did not grant {' '.join(lacking)}: see `appointment-texts ehr check`.")
    return lines


def on_and_off(environment: Environment, settings: Settings, workshop: Workshop) -> list[str]:
    """What is on and what is off, one line each, for the person who starts the product."""
    from integration.adapters.chart import Chart

    lines = []
    if workshop.sms is None:
        lines.append('No provider (TWILIO_ACCOUNT_SID): nothing is texted, reminders are held "no provider".')
    elif workshop.sms.loopback:
        lines.append(f"Texts go to {environment.twilio_api_base_url} on this machine, to no real phone.")
    elif settings.mode == "test":
        count = len(settings.allowed_numbers)
        lines.append(f"Test mode: {workshop.sms.name} texts only the {count} allowed_numbers.")
    else:
        lines.append(f"LIVE: {workshop.sms.name} texts patients.")
    lines.append(f"Write-back: {workshop.write_back.describe()}")
    lines += _who_we_are(environment, workshop)
    if isinstance(workshop.write_back, Chart):
        lines += [f"Write-back, {line}" for line in workshop.write_back.lines()]
    lines += [
        f"Feed {feed.name}: who asks hears at {how.host}:{how.port} what became of a message."
        for feed in settings.feeds.values()
        if (how := feed.application_acknowledgment) is not None
    ]
    lines += hearing(environment, settings)
    lines += [
        f"Feed {feed.name}: shadow, everything is planned and shown, nothing is sent."
        for feed in settings.feeds.values()
        if feed.state == "shadow"
    ]
    return lines


def hearing(environment: Environment, settings: Settings) -> Iterator[str]:
    """Which FHIR feeds hear the EHR, and how; and secrets that no feed asks for."""
    from integration.settings.environment import secret_of, source_of

    sources = {source_of(feed.name): feed for feed in settings.feeds.values() if feed.fhir is not None}
    for source, feed in sources.items():
        if environment.ehr_fhir_base_url is None or feed.fhir is None:
            yield f"Feed {feed.name}: EHR_FHIR_BASE_URL is not set, the EHR is not heard."
            continue
        address = f"notifications at {environment.public_base_url}/fhir/subscriptions/{feed.name}"
        if not environment.subscription_secrets.get(source):
            address = f"{secret_of(source)} is not set, notifications are refused"
        polled = "it is not asked what changed (poll)"
        if feed.fhir.poll is not None:
            polled = f"it is asked every {feed.fhir.poll.total_seconds() / 60:g} min what changed"
        yield f"Feed {feed.name}: {address}; {polled}."
    for source in environment.subscription_secrets:
        if source not in sources:
            yield f"{secret_of(source)}: no feed of that name has [fhir]."
