// VDS-NC with canonicalize (RFC 8785), WebCrypto and the X.509 of Node.
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import canonicalize from "canonicalize";
import { answer } from "./peer.mjs";

const ES256 = { name: "ECDSA", hash: "SHA-256" };
const P256 = { name: "ECDSA", namedCurve: "P-256" };

async function verify(item, request) {
  const { data, sig } = JSON.parse(item.text);
  const signer = new X509Certificate(Buffer.from(sig.cer, "base64url"));
  const anchor = new X509Certificate(request.csca[0]);
  if (sig.alg !== "ES256" || !signer.checkIssued(anchor) || !signer.verify(anchor.publicKey)) throw new Error("the signer does not lead to the CSCA");
  const key = await webcrypto.subtle.importKey("spki", signer.publicKey.export({ format: "der", type: "spki" }), P256, false, ["verify"]);
  const signed = Buffer.from(canonicalize(data));
  if (!(await webcrypto.subtle.verify(ES256, key, Buffer.from(sig.sigvl, "base64url"), signed))) throw new Error("the signature does not verify");
  return { issuer: data.hdr.is, content: data };
}

async function issue(item, request) {
  const pkcs8 = createPrivateKey(request.key).export({ format: "der", type: "pkcs8" });
  const key = await webcrypto.subtle.importKey("pkcs8", pkcs8, P256, false, ["sign"]);
  const sigvl = await webcrypto.subtle.sign(ES256, key, Buffer.from(canonicalize(item.content)));
  const cer = new X509Certificate(request.dsc[0]).raw.toString("base64url");
  return { text: JSON.stringify({ data: item.content, sig: { alg: "ES256", cer, sigvl: Buffer.from(sigvl).toString("base64url") } }) };
}

await answer({ verify, issue });
