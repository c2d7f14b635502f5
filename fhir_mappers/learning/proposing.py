"""Puts a proposal together from what a survey has counted."""

from fhir_mappers.learning.for_appointment import propose_appointment
from fhir_mappers.learning.for_feed import remark_on_feed
from fhir_mappers.learning.for_patient import propose_patient
from fhir_mappers.learning.proposal import Proposal
from fhir_mappers.learning.survey import Survey


def propose(survey: Survey) -> Proposal:
    """What is likely enough to be written into the profile, and what only a person can decide."""
    proposal = Proposal()
    propose_appointment(survey, proposal)
    propose_patient(survey, proposal)
    remark_on_feed(survey, proposal)
    return proposal
