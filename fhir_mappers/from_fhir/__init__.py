"""FHIR R4, R4B and R5 as servers really send it → the same facts that HL7 v2 becomes."""
