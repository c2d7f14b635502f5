"""The public door of the mappers: whatever a feed hears becomes a `Translation`, HL7 v2 and FHIR alike.

    translation = translate(raw, profile, feed)

Never raises: what cannot be mapped is a `Refusal` with a path and a code.
"""

from fhir_mappers import fhir_to_facts, v2_to_fhir
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, IdentityKeys, Translation


def translate(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> Translation:
    """Turn one message into FHIR R4 and the facts beside it, or say why not. Never raises."""
    if feed.fhir is None:
        return v2_to_fhir.translate(raw, profile, feed)
    return fhir_to_facts.translate(raw, profile, feed, feed.fhir)


def identity_keys(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> IdentityKeys:
    """Return only by what appointment and patients are known; empty for what cannot be read. Never raises."""
    if feed.fhir is None:
        return v2_to_fhir.identity_keys(raw, profile, feed)
    return fhir_to_facts.identity_keys(raw, profile, feed, feed.fhir)
