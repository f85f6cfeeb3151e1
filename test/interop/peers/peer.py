"""What every script in Python does: one request on standard input, one answer for each item on standard output."""

import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate


def answer(tasks):
    request = json.load(sys.stdin)
    answers = []
    for item in request["items"]:
        try:
            answers.append({"accepted": True, **tasks[request["task"]](item, request)})
        except Exception as refusal:  # whatever a library raises is its refusal
            answers.append({"accepted": False, "why": f"{type(refusal).__name__}: {refusal}"})
    json.dump(answers, sys.stdout)


def kid(pem):
    """The key id of a document signer certificate in an HCERT."""
    certificate = load_pem_x509_certificate(pem.encode())
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:8]


def by_kid(pems):
    return {kid(pem): pem for pem in pems}


def claims(kid, cwt):
    """The claims of an HCERT in the words of the Go side."""
    (content,) = cwt[-260].values()
    (sub,) = cwt[-260].keys()
    return {
        "kid": base64.b64encode(kid).decode(), "issuer": cwt[1], "issuedAt": cwt[6], "expiresAt": cwt.get(4, 0),
        "subClaim": sub, "content": content,
    }


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
