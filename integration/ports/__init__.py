"""What the pipeline asks of the world; adapters and fakes answer."""

from integration.ports.sms import (
    Accepted,
    InboundText,
    NotSent,
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
    "NotSent",
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
