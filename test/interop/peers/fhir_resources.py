"""FHIR resources with fhir.resources, whose oldest R4 is R4B."""

from fhir.resources.R4B.bundle import Bundle

import peer


def verify(item, request):
    Bundle.model_validate(item["content"])
    return {}


peer.answer({"verify": verify})
