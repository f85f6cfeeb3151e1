"""JSON schemas with jsonschema."""

import json

import jsonschema

import peer


def verify(item, request):
    with open(request["schema"], encoding="utf-8") as schema:
        validator = jsonschema.Draft202012Validator(json.load(schema), format_checker=jsonschema.FormatChecker())
    validator.validate(item["content"])
    return {}


peer.answer({"verify": verify})
