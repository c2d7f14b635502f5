"""A server that refuses what Oracle Millennium's refuses (`reference/standards.md` 0.7, 0.8, 4.2-4.4).

Further: docs.oracle.com, Millennium Platform APIs (R4): op-communication-post, op-documentreference-post and
-id-put (unsupported fields are ignored; an update wants an author), op-appointment-id-patch.
"""

from __future__ import annotations

from tests.adapters.ehr.strict_server import Asked, Resource, StrictEhr, outcome

Answer = tuple[int, Resource | None, dict[str, str]]

OFFERS = {
    "Appointment": ({"create", "read", "search-type", "patch"}, ("_id", "patient", "date", "location")),
    "Basic": ({"create"}, ()),
    "Communication": (
        {"create", "read", "search-type", "patch"},
        ("_id", "category", "received", "recipient", "-email-status"),
    ),
    "Consent": ({"read", "search-type"}, ("patient",)),
    "DocumentReference": (
        {"create", "update", "read", "search-type"},
        ("_id", "patient", "encounter", "date", "type"),
    ),
    "Encounter": ({"read", "search-type", "patch"}, ("_id", "patient", "subject")),
    "Location": ({"read", "search-type"}, ("_id",)),
    "Patient": ({"create", "read", "search-type", "patch"}, ("_id", "identifier", "family", "birthdate")),
    "Provenance": ({"create"}, ()),
    "RelatedPerson": ({"read", "search-type"}, ("_id", "patient")),
}
CATEGORIES = frozenset({"notification", "reminder", "312853008"})
NOTE_FIELDS = frozenset(
    {
        "resourceType", "author", "authenticator", "content", "context", "description", "docStatus", "status",
        "subject", "type", "date",
    }
)  # fmt: skip
MESSAGE_SEARCH = frozenset({"category", "received", "recipient", "-email-status"})


class OracleEhr(StrictEhr):
    """No Subscription, no Task, no conditional create; Communication is a message to staff."""

    def __init__(self) -> None:
        super().__init__()
        self.conditional_create = False
        self.conflict_status = 409
        self.returns_body = False
        self.refers_strictly = False
        self.offers = {name: codes for name, (codes, _) in OFFERS.items()}

    def house_rule(self, asked: Asked) -> Answer | None:
        """What its pages say."""
        method, kind, body = asked.method, asked.segments[0], asked.body
        if method == "GET":
            return self._search_rule(kind, asked.query) if len(asked.segments) == 1 else None
        if method == "PATCH":
            return self._patch(asked)
        bad_message = kind == "Communication" and method == "POST" and not _is_to_staff(body)
        bad_note = kind == "DocumentReference" and not _is_note(body, is_update=method == "PUT")
        if "modifierExtension" in body or bad_message or bad_note:
            return 422, outcome("business-rule"), {}
        if method == "PUT" and "if-match" not in asked.headers:
            return 412, outcome("conflict"), {}
        return None

    def taken(self, resource: Resource) -> Resource:
        """Unsupported fields are ignored."""
        if resource["resourceType"] != "DocumentReference":
            return {name: value for name, value in resource.items() if name != "identifier"}
        return {name: value for name, value in resource.items() if name in NOTE_FIELDS}

    def capability_statement(self) -> Resource:
        """What it says of itself."""
        statement = super().capability_statement()
        for each in statement["rest"][0]["resource"]:
            each["searchParam"] = [{"name": name, "type": "string"} for name in OFFERS[each["type"]][1]]
            del each["conditionalCreate"]
        return {
            **statement,
            "publisher": "Oracle Health",
            "software": {"name": "Millennium", "version": "2026"},
            "implementation": {"description": "The FHIR server of a made-up hospital"},
        }

    def _search_rule(self, kind: str, query: dict[str, list[str]]) -> Answer | None:
        if kind == "Communication" and "_id" not in query and not query.keys() >= MESSAGE_SEARCH:
            return 400, outcome("required"), {}
        by_patient = kind in {"Appointment", "DocumentReference", "Encounter"}
        if by_patient and query.keys().isdisjoint({"_id", "patient", "location"}):
            return 400, outcome("required"), {}
        unknown = query.keys() - {*OFFERS.get(kind, (set(), ()))[1], "_count", "_offset"}
        return (400, outcome("invalid"), {}) if unknown and kind != "metadata" else None

    def _patch(self, asked: Asked) -> Answer:
        """Of an Appointment, the patient's own `accepted` alone."""
        segments, headers = asked.segments, asked.headers
        if segments[0] != "Appointment" or headers.get("content-type") != "application/json-patch+json":
            return 405, outcome("not-supported"), {}
        versions = self.history.get(("Appointment", segments[1]))
        current = versions[-1] if versions else None
        if current is None:
            return 404, outcome("not-found"), {}
        if "if-match" not in headers:
            return 412, outcome("conflict"), {}
        if headers["if-match"] != f'W/"{current["meta"]["versionId"]}"':
            return 409, outcome("conflict"), {}
        if asked.body != [{"op": "replace", "path": "/patient-status", "value": "accepted"}]:
            return 422, outcome("business-rule"), {}
        people = [{**each, "status": "accepted"} for each in current["participant"]]
        stored = self.put({**current, "participant": people}, segments[1])
        return 200, None, {"ETag": f'W/"{stored["meta"]["versionId"]}"'}


def _is_to_staff(body: Resource) -> bool:
    recipients = [each.get("reference", "").partition("/")[0] for each in body.get("recipient") or ()]
    codes = [code.get("code") for each in body.get("category") or () for code in each.get("coding") or ()]
    payload = body.get("payload") or []
    return (
        bool(recipients)
        and set(recipients) <= {"Practitioner", "Group"}
        and bool(codes)
        and set(codes) <= CATEGORIES
        and bool(payload)
        and all(each.keys() == {"contentAttachment"} for each in payload)
        and all(
            each["contentAttachment"].get("contentType") in {"text/plain", "application/xhtml+xml"}
            and each["contentAttachment"].get("data")
            for each in payload
        )
        and body.get("priority", "routine") in {"routine", "urgent"}
    )


def _is_note(body: Resource, *, is_update: bool) -> bool:
    content = body.get("content") or []
    authors = [each.get("reference", "").partition("/")[0] for each in body.get("author") or ()]
    return (
        body.get("status") == "current"
        and bool(body.get("docStatus"))
        and bool((body.get("type") or {}).get("coding"))
        and str((body.get("subject") or {}).get("reference")).startswith("Patient/")
        and len(content) == 1
        and str(content[0]["attachment"].get("contentType")).startswith("text/plain")
        and bool(body.get("context"))
        and set(authors) <= {"Practitioner"}
        and (bool(authors) or not is_update)
    )
