"""Everything a pipeline step works with; wired once, in `integration.bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from integration.domain.clock import Clock
    from integration.ports.ehr import EhrServer, WriteBackMode
    from integration.ports.ehr_reading import EhrReader
    from integration.ports.ehr_subscribing import EhrSubscriber
    from integration.ports.hl7 import Hl7Sender
    from integration.ports.sms import SmsProvider
    from integration.ports.store import Store
    from integration.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Workshop:
    """The tools of the trade."""

    store: Store
    sms: SmsProvider | None  # None: no provider is configured, reminders are held
    write_back: WriteBackMode
    clock: Clock
    settings: Settings
    public_base_url: str  # without a trailing slash
    new_token: Callable[[], str]  # unguessable, made of [A-Za-z0-9_-]
    random: Callable[[], float]  # in [0, 1)
    ehr: EhrServer | None = None  # None: EHR_FHIR_BASE_URL is not set
    reader: EhrReader | None = None  # the same server, for those who listen
    subscriber: EhrSubscriber | None = None  # where there is an EHR
    simulated: bool = False  # the calendar runs by itself: only a loopback provider may be used
    # By feed: who hears application acknowledgments.
    partners: Mapping[str, Hl7Sender] = field(default_factory=dict)
    generation: int = 0  # of the configuration that the settings are; 0: of none that the store knows
    # By server of the EHR's, the kinds of fact that `write_back` tells it.
    servers: Callable[[], Mapping[str, Collection[WriteBackKind]]] = lambda: {"chart": tuple(WriteBackKind)}
    knock: Callable[[str], None] = lambda step: None  # noqa: ARG005 - tells a step that there may be work
