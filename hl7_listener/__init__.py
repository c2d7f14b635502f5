"""Receives HL7 v2 over MLLP, keeps every message, then acknowledges it."""
