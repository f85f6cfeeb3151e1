"""HCERT with cwt, which knows the EU's certificates: signature, times and key ids are its work."""

import zlib

import base45
import cwt
from cwt import COSE, Claims, COSEKey, load_pem_hcert_dsc

import peer


def verify(item, request):
    message = zlib.decompress(base45.b45decode(item["text"].removeprefix("HC1:")))
    keys = [load_pem_hcert_dsc(pem) for pem in request["dsc"]]
    payload = cwt.decode(message, keys=keys)
    content = Claims.new(payload).hcert
    if content != payload[-260]:
        raise ValueError("the library's view of the health certificate is another")
    protected, _, _ = COSE.new(verify_kid=True).decode_with_headers(message, keys)
    return peer.claims(protected[4], payload)


def issue(item, request):
    key = COSEKey.from_pem(request["key"], kid=peer.kid(request["dsc"][0]))
    claims = {1: item["issuer"], 4: item["expiresAt"], 6: item["issuedAt"], -260: {item["subClaim"]: item["content"]}}
    message = cwt.encode(claims, key, tagged=False)
    return {"text": "HC1:" + base45.b45encode(zlib.compress(message)).decode()}


peer.answer({"verify": verify, "issue": issue})
