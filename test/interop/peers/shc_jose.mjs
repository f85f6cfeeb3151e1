// SMART Health Cards with jose and the zlib of Node.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { calculateJwkThumbprint, CompactSign, compactVerify, createLocalJWKSet, importJWK } from "jose";
import { answer } from "./peer.mjs";

const toJWS = (text) => text.replace(/^shc:\//, "").match(/\d\d/g).map((n) => String.fromCharCode(Number(n) + 45)).join("");
const toText = (jws) => "shc:/" + [...jws].map((c) => String(c.charCodeAt(0) - 45).padStart(2, "0")).join("");

async function verify(item, request) {
  for (const key of request.shc.keys) {
    if (key.kid !== await calculateJwkThumbprint(key)) throw new Error("a key id is not the thumbprint of the key");
  }
  const { payload, protectedHeader } = await compactVerify(toJWS(item.text), createLocalJWKSet(request.shc), { algorithms: ["ES256"] });
  if (protectedHeader.zip !== "DEF") throw new Error("not compressed");
  const content = JSON.parse(inflateRawSync(payload).toString("utf8"));
  if (content.iss !== request.issuer) throw new Error("another issuer");
  return { kid: protectedHeader.kid, issuer: content.iss, issuedAt: content.nbf, expiresAt: content.exp ?? 0, content };
}

async function issue(item, request) {
  const payload = deflateRawSync(Buffer.from(JSON.stringify(item.content)));
  const kid = await calculateJwkThumbprint(request.jwk);
  const jws = await new CompactSign(payload).setProtectedHeader({ zip: "DEF", alg: "ES256", kid }).sign(await importJWK(request.jwk, "ES256"));
  return { text: toText(jws) };
}

await answer({ verify, issue });
