// Signatures of documents with jose and canonicalize: a JWS without its payload, which is
// the document in the form of RFC 8785 without id, meta and signature.
import { compactVerify } from "jose";
import canonicalize from "canonicalize";
import { answer, byKID } from "./peer.mjs";

async function verify(item, request) {
  const { id, meta, signature, ...covered } = item.content;
  const [header, , value] = Buffer.from(signature.data, "base64").toString("ascii").split(".");
  const payload = Buffer.from(canonicalize(covered)).toString("base64url");
  const { kid, canon } = JSON.parse(Buffer.from(header, "base64url"));
  if (canon !== "http://hl7.org/fhir/canonicalization/json#document") throw new Error("another canonical form");
  await compactVerify(`${header}.${payload}.${value}`, byKID(request.dsc).get(kid).publicKey, { algorithms: ["ES256"] });
  return { kid };
}

await answer({ verify });
