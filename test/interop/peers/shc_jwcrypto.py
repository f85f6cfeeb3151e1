"""SMART Health Cards with jwcrypto, which is made of the Python package cryptography, and zlib."""

import json
import zlib

from jwcrypto import jwk, jws

import peer


def verify(item, request):
    digits = item["text"].removeprefix("shc:/")
    card = jws.JWS()
    card.allowed_algs = ["ES256"]
    card.deserialize("".join(chr(int(digits[i : i + 2]) + 45) for i in range(0, len(digits), 2)))
    kid = card.jose_header["kid"]
    key = jwk.JWKSet.from_json(json.dumps(request["shc"])).get_key(kid)
    if key.thumbprint() != kid:
        raise ValueError("the key id is not the thumbprint of the key")
    card.verify(key)
    content = json.loads(zlib.decompress(card.payload, wbits=-15))
    return {"kid": kid, "issuer": content["iss"], "issuedAt": content["nbf"], "expiresAt": content.get("exp", 0), "content": content}


def issue(item, request):
    key = jwk.JWK.from_json(json.dumps(request["jwk"]))
    deflate = zlib.compressobj(level=9, wbits=-15)
    payload = deflate.compress(json.dumps(item["content"], separators=(",", ":")).encode()) + deflate.flush()
    card = jws.JWS(payload)
    header = {"zip": "DEF", "alg": "ES256", "kid": key.thumbprint()}
    card.add_signature(key, protected=json.dumps(header, separators=(",", ":")))
    return {"text": "shc:/" + "".join(f"{ord(c) - 45:02}" for c in card.serialize(compact=True))}


peer.answer({"verify": verify, "issue": issue})
