"""Proposes a vendor's profile from sample messages: what they say that the profile they extend does not know.

    survey = Survey(profile, feed)
    for raw in messages:
        survey.add(raw)
    text = write(survey, propose(survey), extends="generic")

Pure. No value of a patient is kept: counts, code words, and hashes while the survey lasts.
"""

from fhir_mappers.learning.proposal import Proposal
from fhir_mappers.learning.proposing import propose
from fhir_mappers.learning.survey import Survey
from fhir_mappers.learning.writing import write

__all__ = ["Proposal", "Survey", "propose", "write"]
