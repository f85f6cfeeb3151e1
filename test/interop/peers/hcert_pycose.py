"""HCERT with pycose, base45 and cbor2."""

import zlib

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from pycose.algorithms import Es256
from pycose.headers import KID, Algorithm
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Sign1Message

import peer


def public(numbers: EllipticCurvePublicNumbers):
    return {"crv": P256, "x": numbers.x.to_bytes(32, "big"), "y": numbers.y.to_bytes(32, "big")}


def verify(item, request):
    message = CoseMessage.decode(zlib.decompress(base45.b45decode(item["text"].removeprefix("HC1:"))))
    if not isinstance(message, Sign1Message) or message.phdr[Algorithm] is not Es256 or message.uhdr:
        raise ValueError("not the COSE_Sign1 message of an HCERT")
    certificate = load_pem_x509_certificate(peer.by_kid(request["dsc"])[message.phdr[KID]].encode())
    message.key = EC2Key(**public(certificate.public_key().public_numbers()))
    if not message.verify_signature():
        raise ValueError("the signature does not verify")
    return peer.claims(message.phdr[KID], cbor2.loads(message.payload))


def issue(item, request):
    private = load_pem_private_key(request["key"].encode(), None).private_numbers()
    cwt = {1: item["issuer"], 4: item["expiresAt"], 6: item["issuedAt"], -260: {item["subClaim"]: item["content"]}}
    message = Sign1Message(phdr={Algorithm: Es256, KID: peer.kid(request["dsc"][0])}, payload=cbor2.dumps(cwt))
    message.key = EC2Key(d=private.private_value.to_bytes(32, "big"), **public(private.public_numbers))
    return {"text": "HC1:" + base45.b45encode(zlib.compress(message.encode())).decode()}


peer.answer({"verify": verify, "issue": issue})
