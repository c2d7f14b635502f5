"""What Twilio posts: the form of a status callback, and of an inbound text.

Messaging reference §1.4, §1.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.sandbox.texts import API_VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from integration.sandbox.lifecycles import Step
    from integration.sandbox.texts import Text

# Twilio sends blanks for what it does not know, and signs them.
PLACES = {
    f"{end}{part}": "US" if part == "Country" else ""
    for end in ("From", "To")
    for part in ("City", "State", "Zip", "Country")
}


def status_form(text: Text, step: Step, account_sid: str, now: datetime) -> dict[str, str]:
    """A status callback: `step` is what it tells, whatever the text's own status is by now."""
    form = {
        "MessageSid": text.sid,
        "SmsSid": text.sid,
        "AccountSid": account_sid,
        "MessageStatus": step.word,
        "SmsStatus": step.word,
        "From": text.sender or "",
        "To": text.to,
        "ApiVersion": API_VERSION,
    }
    if text.service:
        form["MessagingServiceSid"] = text.service
    if step.code is not None:
        form["ErrorCode"] = str(step.code)
    if step.word in {"delivered", "undelivered"}:
        form["RawDlrDoneDate"] = now.strftime("%y%m%d%H%M")  # no zone, and no seconds
    return form


def inbound_form(text: Text, account_sid: str, opt_out_type: str | None) -> dict[str, str]:
    """An inbound text; OptOutType is there only when Advanced Opt-Out handled a keyword."""
    form = {
        "MessageSid": text.sid,
        "SmsSid": text.sid,
        "SmsMessageSid": text.sid,
        "AccountSid": account_sid,
        "From": text.sender or "",
        "To": text.to,
        "Body": text.body,
        "NumMedia": str(len(text.media)),
        "NumSegments": str(text.weight.segments),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
        **PLACES,
    }
    for place, url in enumerate(text.media):
        form |= {f"MediaUrl{place}": url, f"MediaContentType{place}": "image/jpeg"}
    if text.service:
        form["MessagingServiceSid"] = text.service
    if opt_out_type is not None:
        form["OptOutType"] = opt_out_type
    return form
