"""A clinician's words to a patient, as they go out: signed by the practice, in letters that cost least."""

from __future__ import annotations

from integration.domain.transliteration import Untransliterable, to_gsm7


def signed(words: str, practice: str) -> str:
    """The words behind the practice's public name, unless they name it (47 CFR 64.1200(a)(9)(iv)(B)).

    In GSM-7's alphabet where every sign has a form there, else as they were written.
    """
    named = words if practice.casefold() in words.casefold() else f"{practice}: {words}"
    try:
        return to_gsm7(named)
    except Untransliterable:
        return named
