"""Tells a machine's answer from a person's: phones whose owners drive or are away, carriers that failed.

Such a text is read by a person, and never answered: two machines would talk for ever.
"""

from __future__ import annotations

import re
from typing import Final

from integration.domain.reply_text import read

# Words that phones, mail gateways and carriers write of themselves, and people do not; see `reply_text` for
# what is left of them. In whatever language the phone speaks, so they stand here and not in a catalogue.
_SIGNS: Final = (
    "do not disturb while driving",
    "driving focus",
    "im driving with",
    "see your message when i get where im going",
    "automatic (?:reply|response|message)",
    "automated (?:reply|response|message)",
    "auto ?(?:reply|response|responder)",
    "out of (?:the )?office",
    "this (?:mailbox|number|inbox) is not monitored",
    "(?:does not|cannot|not able to) (?:accept|receive) text messages",
    "message (?:could not be|was not|not) delivered",
    "unable to deliver your message",
    "undeliverable",
    "message blocking is active",
    "free ?msg",
    "(?:respuesta|mensaje) automatic[ao]",
    "no molestar al conducir",
    "fuera de la oficina",
    "el mensaje no pudo ser entregado",
)
_ANY_SIGN: Final = re.compile("|".join(rf"\b{sign}\b" for sign in _SIGNS))
# A contact, a file or a calendar entry that a phone sent as text.
_A_FILE: Final = re.compile(r"begin:v(card|calendar|event)|\bdata:[a-z]+/|[a-z0-9+/=]{120,}", re.IGNORECASE)


def is_automatic(body: str) -> bool:
    """Whether a machine wrote it, by its own words, or it is no words at all but a file."""
    return bool(_A_FILE.search(body) or _ANY_SIGN.search(" ".join(read(body).words)))
