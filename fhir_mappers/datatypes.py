"""HL7 v2 data types → FHIR data types (guide: datatype maps CWE, CX, EI, XPN, XCN, PL).

Each function takes one repetition and returns plain JSON, or None when there is nothing to say.
"""

from collections.abc import Mapping

from fhir_mappers.tables import CODING_SYSTEM, NAME_USE
from fhir_mappers.translation import Identifier, Resource
from fhir_mappers.v2_message import Composite

V2_TABLE = "http://terminology.hl7.org/CodeSystem/v2-"
IDENTIFIER_TYPE = V2_TABLE + "0203"


def plain(value: str) -> str:
    """Return `value` on one line, without outer or doubled blanks: what FHIR's code and our texts allow."""
    return value if not value or value.isalnum() else " ".join(value.split())


def coding_system(name: str) -> str:
    """Return the FHIR system of a v2 coding system name (CWE.3), '' when there is none."""
    name = name.upper()
    if name.startswith("HL7") and name[3:].isdigit() and len(name) == 7:  # noqa: PLR2004 - HL70276
        return V2_TABLE + name[3:]
    return CODING_SYSTEM.get(name, "")


def cwe_to_codeable_concept(cwe: Composite) -> Resource | None:
    """CWE[CodeableConcept]: both codings; text from CWE.9, else CWE.2, else the code."""
    codings = []
    for first in (1, 4):
        code = plain(cwe.get(first))
        if not code:
            continue
        display, name = plain(cwe.get(first + 1)), cwe.get(first + 2)
        coding = {"code": code}
        system = coding_system(name) if name else ""
        if system:
            coding["system"] = system
        if display:
            coding["display"] = display
        codings.append(coding)
    text = plain(cwe.get(9)) or plain(cwe.get(2)) or (codings[0]["code"] if codings else "")
    if not text:
        return None
    return {"coding": codings, "text": text} if codings else {"text": text}


def cx_to_identifier(cx: Composite, systems: Mapping[str, str]) -> Identifier | None:
    """CX[Identifier], with the system configured for its assigning authority (CX.4.1 or CX.4.2)."""
    value = plain(cx.get(1))
    if not value:
        return None
    namespace, universal = plain(cx.get(4)), plain(cx.get(4, 2))
    authority = namespace or universal
    system = systems.get(authority) or systems.get(universal, "") if universal else systems.get(authority, "")
    return Identifier(authority, plain(cx.get(5)).upper(), system, value)


def identifier_resource(kind: str, system: str, value: str, authority: str) -> Resource:
    """Return a FHIR Identifier; without a system its assigner is named instead."""
    resource: Resource = {}
    if kind:
        resource["type"] = {"coding": [{"system": IDENTIFIER_TYPE, "code": kind}]}
    if system:
        resource["system"] = system
    resource["value"] = value
    if authority and not system:
        resource["assigner"] = {"display": authority}
    return resource


def xpn_to_human_name(xpn: Composite) -> Resource | None:
    """XPN[HumanName]: use, family, given, prefix, suffix."""
    parts = {
        "family": plain(xpn.get(1)),
        "given": [name for name in (plain(xpn.get(2)), plain(xpn.get(3))) if name],
        "prefix": [name for name in (plain(xpn.get(5)),) if name],
        "suffix": [name for name in (plain(xpn.get(4)),) if name],
    }
    if not (parts["family"] or parts["given"]):
        return None
    use = NAME_USE.get(xpn.get(7).upper())
    return ({"use": use} if use else {}) | {key: part for key, part in parts.items() if part}


def xcn_to_practitioner(xcn: Composite) -> Resource | None:
    """XCN[Practitioner] as a logical reference: number and name."""
    return _reference(
        "Practitioner",
        plain(xcn.get(1)),
        " ".join(name for n in (6, 3, 2) if (name := plain(xcn.get(n)))),
    )


def cwe_to_practitioner(cwe: Composite) -> Resource | None:
    """AIG-3 as a logical reference to a Practitioner: many senders put the doctor there."""
    return _reference("Practitioner", plain(cwe.get(1)), plain(cwe.get(2)))


def pl_to_location(pl: Composite) -> Resource | None:
    """PL[Location] as a logical reference: point of care, else facility; PL.9 describes it."""
    code = plain(pl.get(1)) or plain(pl.get(4))
    return _reference("Location", code, plain(pl.get(9)) or code)


def _reference(kind: str, value: str, display: str) -> Resource | None:
    if not (value or display):
        return None
    reference: Resource = {"type": kind}
    if value:
        reference["identifier"] = {"value": value}
    if display:
        reference["display"] = display
    return reference
