"""A server that refuses what Epic's refuses (May 2026; `reference/standards.md` 0.6, 4.3, 4.4)."""

from __future__ import annotations

from tests.adapters.ehr.strict_server import Asked, Resource, StrictEhr, outcome

Answer = tuple[int, Resource | None, dict[str, str]]

# Type → interactions and search parameters, as its CapabilityStatement lists them
OFFERS = {
    "Appointment": ({"read", "search-type"}, ("patient", "date", "status", "service-category")),
    "Communication": (
        {"create", "read", "search-type"},
        ("patient", "part-of", "identifier", "sent", "status"),
    ),
    "Consent": ({"read", "search-type"}, ("patient", "category")),
    "DocumentReference": (
        {"create", "update", "read", "search-type"},
        ("patient", "category", "date", "docstatus", "encounter", "type"),
    ),
    "Encounter": ({"read", "search-type"}, ("patient", "date", "class")),
    "Location": ({"read"}, ()),
    "Patient": ({"create", "read", "search-type"}, ("identifier", "family", "birthdate")),
    "RelatedPerson": ({"read", "search-type"}, ("patient",)),
    "Task": ({"read", "update", "search-type"}, ("patient", "status")),
}
BY_PATIENT = frozenset({"Appointment", "Communication", "Consent", "DocumentReference", "Encounter", "Task"})


class EpicEhr(StrictEhr):
    """No Subscription, no conditional create, no search of notes by identifier; each has an encounter."""

    def __init__(self) -> None:
        super().__init__()
        self.conditional_create = False
        self.versioning = "no-version"
        self.returns_body = False
        self.relative_location = True
        self.refers_strictly = False
        self.offers = {name: codes for name, (codes, _) in OFFERS.items()}
        self.forbidden: set[str] = set()  # types whose API the client id was not given: 403 without a word

    def house_rule(self, asked: Asked) -> Answer | None:
        """What its pages and its sandbox say."""
        method, kind, body = asked.method, asked.segments[0], asked.body
        if kind in self.forbidden:
            return 403, None, {}
        if method == "GET":
            bare = kind in BY_PATIENT and len(asked.segments) == 1 and "patient" not in asked.query
            return (400, outcome("required"), {}) if bare else None
        if method == "PATCH" or (method == "PUT" and kind not in {"DocumentReference", "Task"}):
            return 403, None, {}
        if kind not in {"Communication", "DocumentReference"}:
            return 403, None, {}
        fits = self._is_note(body) if kind == "DocumentReference" else _is_referral(body)
        return None if fits else (422, outcome("business-rule"), {})

    def _is_note(self, body: Resource) -> bool:
        """Clinical Notes, 1046: one plain text, for an encounter of the same patient."""
        content = body.get("content") or []
        encounters = (body.get("context") or {}).get("encounter") or []
        if len(content) != 1 or len(encounters) != 1 or "modifierExtension" in body:
            return False
        attachment = content[0].get("attachment") or {}
        key = ("Encounter", encounters[0].get("reference", "").removeprefix("Encounter/"))
        encounter = (self.history.get(key) or [None])[-1]
        return (
            attachment.get("contentType") == "text/plain"
            and bool(attachment.get("data"))
            and body.get("status") == "current"
            and body.get("docStatus") in {"final", "preliminary"}
            and bool((body.get("type") or {}).get("coding"))
            and encounter is not None
            and encounter["subject"]["reference"] == (body.get("subject") or {}).get("reference")
        )

    def capability_statement(self) -> Resource:
        """What it says of itself."""
        statement = super().capability_statement()
        for each in statement["rest"][0]["resource"]:
            each["searchParam"] = [{"name": name, "type": "string"} for name in OFFERS[each["type"]][1]]
        return {
            **statement,
            "publisher": "Epic",
            "software": {"name": "Epic", "version": "May 2026"},
            "implementation": {"description": "The FHIR server of a made-up hospital"},
        }


def _is_referral(body: Resource) -> bool:
    """Communication.Create (Community Resource): a message about a referral."""
    codes = [code for each in body.get("category") or () for code in each.get("coding") or ()]
    return any(each.get("code") == "community-resource" for each in codes) and "partOf" in body
