"""How we read the EHR."""
