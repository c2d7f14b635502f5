"""What the EHR's FHIR server is asked: single resources that somebody told of, and what changed at all."""
