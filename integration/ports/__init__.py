"""What the pipeline asks of the world; adapters and fakes answer."""

from integration.ports.sms import (
    Accepted,
    InboundText,
    OutgoingText,
    ProviderText,
    ProviderUnavailable,
    Refused,
    SendOutcome,
    SmsProvider,
    StatusReport,
    Throttled,
    Uncertain,
)

__all__ = [
    "Accepted",
    "InboundText",
    "OutgoingText",
    "ProviderText",
    "ProviderUnavailable",
    "Refused",
    "SendOutcome",
    "SmsProvider",
    "StatusReport",
    "Throttled",
    "Uncertain",
]
