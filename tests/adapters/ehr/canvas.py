"""A server that refuses what Canvas's refuses (`reference/standards.md` 0.9, 4.4; docs.canvasmedical.com).

A Communication there is a message between one patient and one practitioner; its status is completed at once.
"""

from __future__ import annotations

from tests.adapters.ehr.strict_server import Asked, Resource, StrictEhr, outcome

Answer = tuple[int, Resource | None, dict[str, str]]

OFFERS = {
    "Appointment": ({"create", "read", "search-type", "update"}, ("_id", "patient", "date", "identifier")),
    "Communication": ({"create", "read", "search-type"}, ("_id", "recipient", "sender")),
    "Consent": ({"create", "read", "search-type"}, ("_id", "patient")),
    "DocumentReference": ({"read", "search-type"}, ("_id", "patient", "type")),
    "Encounter": ({"read", "search-type"}, ("_id", "patient")),
    "Patient": ({"create", "read", "search-type", "update"}, ("_id", "identifier", "family")),
    "Task": ({"create", "read", "search-type", "update"}, ("_id", "patient", "status")),
}
KEPT = frozenset({"resourceType", "subject", "sent", "received", "recipient", "sender", "payload"})


class CanvasEhr(StrictEhr):
    """Communication is created only; no conditional create, no search by identifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conditional_create = False
        self.versioning = "no-version"
        self.returns_body = False
        self.refers_strictly = False
        self.offers = {name: codes for name, (codes, _) in OFFERS.items()}

    def house_rule(self, asked: Asked) -> Answer | None:
        """What its pages say."""
        method, kind, body = asked.method, asked.segments[0], asked.body
        if method == "PATCH":
            return 405, outcome("not-supported"), {}
        if method == "GET":
            lost = kind == "Communication" and len(asked.segments) == 1 and "identifier" in asked.query
            return (400, outcome("not-supported"), {}) if lost else None
        if kind == "Communication" and method == "POST" and not _is_message(body):
            return 422, outcome("business-rule"), {}
        return None

    def taken(self, resource: Resource) -> Resource:
        """A message is completed, whatever was said; what it has no place for is dropped."""
        if resource["resourceType"] != "Communication":
            return resource
        return {name: value for name, value in resource.items() if name in KEPT} | {"status": "completed"}

    def capability_statement(self) -> Resource:
        """What it says of itself."""
        statement = super().capability_statement()
        for each in statement["rest"][0]["resource"]:
            each["searchParam"] = [{"name": name, "type": "string"} for name in OFFERS[each["type"]][1]]
        return {
            **statement,
            "publisher": "Canvas Medical",
            "software": {"name": "Canvas"},
            "implementation": {"description": "The FHIR server of a made-up practice"},
        }


def _is_message(body: Resource) -> bool:
    recipients = [each.get("reference", "").partition("/")[0] for each in body.get("recipient") or ()]
    sender = (body.get("sender") or {}).get("reference", "").partition("/")[0]
    payload = body.get("payload") or []
    return (
        len(recipients) == 1
        and {recipients[0], sender} == {"Patient", "Practitioner"}
        and bool(payload)
        and all(each.keys() == {"contentString"} for each in payload)
        and body.get("status") in {"completed", "in-progress", "preparation", "unknown"}
    )
