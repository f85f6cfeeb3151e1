// What every script in JavaScript does: one request on standard input, one answer for each
// item on standard output.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

export async function answer(tasks) {
  const request = JSON.parse(readFileSync(0, "utf8"));
  const answers = [];
  for (const item of request.items) {
    try {
      answers.push({ accepted: true, ...(await tasks[request.task](item, request)) });
    } catch (refusal) { // whatever a library throws is its refusal
      answers.push({ accepted: false, why: String(refusal?.message ?? refusal) });
    }
  }
  process.stdout.write(JSON.stringify(answers));
}

// byKID finds document signer certificates by their key id in an HCERT.
export function byKID(pems) {
  return new Map(pems.map((pem) => {
    const certificate = new X509Certificate(pem);
    return [createHash("sha256").update(certificate.raw).digest().subarray(0, 8).toString("base64"), certificate];
  }));
}

// claims gives the claims of an HCERT in the words of the Go side.
export function claims(kid, cwt) {
  const hcert = cwt.get(-260);
  const [[subClaim, content], ...rest] = hcert instanceof Map ? [...hcert] : Object.entries(hcert);
  if (rest.length > 0) throw new Error("more than one sub-claim");
  return {
    kid, issuer: cwt.get(1), issuedAt: cwt.get(6), expiresAt: cwt.get(4) ?? 0,
    subClaim: Number(subClaim), content: plain(content),
  };
}

// plain turns the maps of a CBOR decoder into objects.
export function plain(value) {
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}
