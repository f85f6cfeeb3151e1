"""VDS-NC with rfc8785 and the Python package cryptography, the path to the CSCA included."""

import datetime
import json

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

import peer


def verify(item, request):
    seal = json.loads(item["text"])
    signer = load_der_x509_certificate(peer.unb64url(seal["sig"]["cer"]))
    signer.verify_directly_issued_by(load_pem_x509_certificate(request["csca"][0].encode()))
    now = datetime.datetime.now(datetime.timezone.utc)
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        raise ValueError("the signer is not valid now")
    raw = peer.unb64url(seal["sig"]["sigvl"])
    if seal["sig"]["alg"] != "ES256" or len(raw) != 64:
        raise ValueError("not ES256")
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signer.public_key().verify(signature, rfc8785.dumps(seal["data"]), ECDSA(SHA256()))
    return {"issuer": seal["data"]["hdr"]["is"], "content": seal["data"]}


def issue(item, request):
    key = load_pem_private_key(request["key"].encode(), None)
    r, s = decode_dss_signature(key.sign(rfc8785.dumps(item["content"]), ECDSA(SHA256())))
    certificate = load_pem_x509_certificate(request["dsc"][0].encode()).public_bytes(Encoding.DER)
    sig = {"alg": "ES256", "cer": peer.b64url(certificate), "sigvl": peer.b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}
    return {"text": json.dumps({"data": item["content"], "sig": sig}, separators=(",", ":"), ensure_ascii=False)}


peer.answer({"verify": verify, "issue": issue})
