"""The words for everything a mapping may note or refuse: one code, one sentence, never a value.

A warning says what was done all the same; a refusal says why nothing was. The path beside it names the place.
"""

from fhir_mappers.translation import MapWarning, Refusal

WARNINGS = {
    # reading the bytes
    "nul-byte": "NUL bytes were dropped",
    "unknown-charset": "the declared character set is not known; the text was read as found",
    "charset-contradicted": "the bytes are not in the declared character set; the text was read as found",
    "charset-guessed": "the bytes are not UTF-8; they were read as Windows-1252",
    "delimiters-missing": "encoding characters are missing; the standard's were taken",
    "broken-line": "a line break stands inside this segment; the rest was joined to it",
    "second-message": "more than one message came at once; only the first was read here",
    # what happened
    "no-control-id": "the message has no control id",
    "not-a-time": "this is not an HL7 time; it was passed over",
    "date-only": "a date without a time gives no start",
    "hour-only": "the time names no minutes; the full hour was taken",
    "midnight": "a start at midnight is often a date without a time",
    "in-gap": "this local time does not exist (clocks go forward); the offset before the change was used",
    "in-fold": "this local time comes twice (clocks go back); the first was used",
    "offset-of-other-season": "the offset in MSH-7 is of another season; the zone's own offset was used",
    "offset-of-other-zone": "the times were read with the offset in MSH-7, which is not that of the place",
    "no-start": "no field holds the start of the appointment",
    "starts-disagree": "this start differs from the one that was taken",
    "start-of-a-part": "this is the start of an added service; it was not taken for the appointment's",
    "segment-repeated": "this segment comes once; the first was read",
    "offset-added": "the start is this time plus the offset beside it",
    "end-before-start": "the end is not after the start; it was passed over",
    "duration-unreadable": "the duration cannot be read; it was passed over",
    "duration-out-of-range": "the duration is outside the profile's limits; it was passed over",
    "duration-unit-guessed": "a number without a unit, too small for seconds; minutes were taken",
    "end-assumed": "neither end nor duration was given; the profile's default length was taken",
    "unknown-status": "the status word is in no table; the trigger event's own status was taken",
    "status-contradicts-trigger": "the status contradicts the trigger event; the trigger event was believed",
    "status-without-times": "FHIR allows this status only with a start; the resource carries the nearest one",
    # who
    "no-patient-identifier": "the patient has no identifier",
    "no-phone": "no number here can be texted",
    "no-guardian-number": "the patient is under 18 and no guardian's number was found",
    "home-number": "only a home number is offered; it may not take texts",
    "patient-deceased": "the patient is dead; no number is offered",
    "unknown-consent": "the word is neither in `consent.given` nor in `consent.refused`; it says nothing",
    "unknown-language": "the language word is in no table",
    "records-linked": "two records are, or no longer are, of one person; they stay distinct here",
    "accounts-only": "this is about account numbers, by which nothing is known here",
    "identifier-moved": "an identifier hangs under another person now; the records stay distinct here",
    "merged-into-itself": "the record that is gone is the one that stays; nothing was merged",
    "not-a-date": "this is not a date; it was passed over",
    # FHIR
    "not-an-instant": "this is not a FHIR instant; it was passed over",
    "no-offset": "the time has no offset; it was read in the zone of the place",
    "unknown-zone": "this names no zone of the IANA database; it was passed over",
    "status-by-profile": "this is no code of FHIR's; it was read as the profile reads such words",
    "status-not-known": "this is no code of FHIR's; the status was left as it is",
    "not-included": "what is referred to was not sent along; only its id is known",
    "not-unique-reference": "the reference names no id and no identifier; it was passed over",
    "patient-declined": "a patient has declined; the visit counts as not promised",
    "summary-only": "the server sent a part of the resource; what it lacks was left as it is",
    "test-data": "the resource is marked as test data",
    "inactive": "the record is not in use any more; nobody is texted about it",
    # notifications
    "status-not-first": "the status of the Subscription is not the first entry",
    "no-status": "the Bundle says nothing of a Subscription; its entries were taken for what changed",
    "no-bundle": "the status of the Subscription stands alone, in no Bundle",
    "not-history": "a notification is a Bundle of type history, in R5 subscription-notification",
    "no-request": "each entry of such a Bundle must say its request (bdl-3)",
    "no-subscription": "no Subscription is named",
    "other-value-type": "this value has another type than the standard gives it",
    "unknown-notification-type": "the type is in no table; it was taken for what it looks like",
    "no-focus": "no event names its resource; the other entries were taken for what changed",
    "no-events": "a notification of events names none",
    "no-event-number": "the event has no number",
    "not-a-number": "this is no count; it was passed over",
    "numbers-restart": "events are numbered anew in each notification; the numbers tell of no gap",
    "foreign-reference": "this points to another server than the EHR; it was not followed",
    "not-a-reference": "this names no resource",
    "no-id": "the resource has no id",
    "path-disagrees": "path and body name different resources; the path was believed",
    "nothing-said": "there is no resource in it",
    "partial-birth-date": "the birth date has no day; the youngest it allows is what counts for a child",
}

REFUSALS = {
    "unsupported-trigger": "this message type or trigger event is not mapped",
    "irrelevant-trigger": "nothing a text could depend on comes of this trigger event",
    "no-merged-record": "the message does not say which record is gone",
    "no-patient": "the message has no patient",
    "no-patient-by-definition": "slots were blocked or opened; such a message has no patient by definition",
    "no-appointment-identifier": "none of the fields that identify an appointment is valued",
    "several-appointments": "a message is about one appointment, and this one identifies several",
    "not-json": "this is not JSON",
    "no-request-id": "the request has no id, so that nobody could tell it from another",
    "no-text-request": "the request is for something else than a text to its patient",
    "no-recipient": "the request names no patient whose chart is known",
    "no-text-in-request": "the request has no words that can be sent as a text",
    "text-too-long": "the request has more words than one text can hold",
    "not-a-notification": "this is no notification as the webhook keeps them",
    "not-a-resource": "this is no FHIR resource",
    "unsupported-resource": "there is no Appointment, Patient or CommunicationRequest in it",
    "request": "scheduling requests are not appointments unless the feed says so (requests = true)",
}


def warn(path: str, code: str) -> MapWarning:
    """Return the warning `code` at `path`."""
    return MapWarning(path, code, WARNINGS[code])


def refuse(path: str, code: str) -> Refusal:
    """Return the refusal `code` at `path`."""
    return Refusal(path, code, REFUSALS[code])
