"""Speaks HL7 v2 and FHIR R4, and turns the one into the other. Pure: bytes and dicts in, dicts out."""
