// HCERT with cose-js, cbor and base45.
import { createPrivateKey } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import base45 from "base45";
import cbor from "cbor";
import cose from "cose-js";
import { answer, byKID, claims } from "./peer.mjs";

const unb64url = (text) => Buffer.from(text, "base64url");

async function verify(item, request) {
  const message = inflateSync(base45.decode(item.text.replace(/^HC1:/, "")));
  const [protectedHeader] = cbor.decodeFirstSync(message).value;
  const kid = cbor.decodeFirstSync(protectedHeader).get(4).toString("base64");
  const { x, y } = byKID(request.dsc).get(kid).publicKey.export({ format: "jwk" });
  const payload = await cose.sign.verify(message, { key: { x: unb64url(x), y: unb64url(y) } });
  return claims(kid, cbor.decodeFirstSync(payload));
}

async function issue(item, request) {
  const { d } = createPrivateKey(request.key).export({ format: "jwk" });
  const [kid] = byKID(request.dsc).keys();
  const content = new Map([[item.subClaim, item.content]]);
  const cwt = new Map([[1, item.issuer], [4, item.expiresAt], [6, item.issuedAt], [-260, content]]);
  const headers = { p: { alg: "ES256", kid: Buffer.from(kid, "base64") }, u: {} };
  const message = await cose.sign.create(headers, cbor.encode(cwt), { key: { d: unb64url(d) } });
  return { text: "HC1:" + base45.encode(deflateSync(message)) };
}

await answer({ verify, issue });
