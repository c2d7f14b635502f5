"""The console: texts are taken, told of in the log, and sent to nobody. For trying without Twilio."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from integration.domain.clock import wall_now
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.line_type import LineType
from integration.domain.phone_number import mask
from integration.domain.sms_segments import measure
from integration.ports.sms import Accepted, Bill, InboundText, ProviderText, StatusReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from integration.ports.sms import OutgoingText, SendOutcome

_log = logging.getLogger(__name__)


def _new_id() -> str:
    return f"console-{uuid4().hex}"


def build(*, now: Callable[[], datetime] = wall_now, new_id: Callable[[], str] = _new_id) -> ConsoleProvider:
    """The provider that only writes to the log."""
    return ConsoleProvider(now, new_id)


class ConsoleProvider:
    """Takes every text and writes "a text of 1 segment to …0123"; an `SmsProvider`."""

    name = "console"
    loopback = True
    usual_sender: str | None = None
    signature_header = "X-No-Signature"

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now = now
        self._new_id = new_id

    def send(self, text: OutgoingText) -> SendOutcome:
        """Take the text. `sent` is the last word it will ever have: nobody calls back."""
        weight = measure(text.body)
        noun = "segment" if weight.segments == 1 else "segments"
        _log.info("a text of %d %s to %s", weight.segments, noun, mask(text.to))
        now = self._now()
        return Accepted(
            ProviderText(
                provider_id=self._new_id(),
                to=text.to,
                body=text.body,
                word="written to the log",
                status=DeliveryStatus.SENT,
                created_at=now,
                segments=weight.segments,
                sent_at=now,
            )
        )

    def find(self, to: str, since: datetime) -> Sequence[ProviderText]:  # noqa: ARG002 - the port's signature
        """Nothing: what was written to the log is not kept."""
        return ()

    def fetch(self, provider_id: str) -> ProviderText | None:  # noqa: ARG002 - the port's signature
        """Nothing, as `find`."""
        return None

    def bill(self, day: datetime, page: str | None = None) -> Bill:  # noqa: ARG002 - the port's signature
        """Nothing: what is written to the log costs nothing."""
        return Bill((), None)

    def line_type(self, number: str) -> LineType:  # noqa: ARG002 - the port's signature
        """Nobody knows, and nobody is texted."""
        return LineType.UNKNOWN

    def verify(
        self,
        url: str,  # noqa: ARG002 - the port's signature
        form: Mapping[str, Sequence[str]],  # noqa: ARG002 - as above
        signature: str,  # noqa: ARG002 - as above
    ) -> bool:
        """Never: the console sends no webhooks, so whoever claims to be it is not."""
        return False

    def read_status(self, form: Mapping[str, str]) -> StatusReport:  # noqa: ARG002 - the port's signature
        """An empty report; `verify` lets no form come this far."""
        return StatusReport(provider_id="", word="", status=None)

    def read_reply(self, form: Mapping[str, str]) -> InboundText:  # noqa: ARG002 - the port's signature
        """An empty text; `verify` lets no form come this far."""
        return InboundText(provider_id="", from_number="", to_number="", body="")
