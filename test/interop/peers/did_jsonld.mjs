// The DID document of the GDHCN with jsonld (URDNA2015) and the cryptography of Node.
import { createHash, verify as verifySignature, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import jsonld from "jsonld";
import { answer, byKID } from "./peer.mjs";

const digest = async (document, contexts) => createHash("sha256").update(await jsonld.canonize(document, {
  algorithm: "URDNA2015", format: "application/n-quads", safe: false,
  documentLoader: async (url) => {
    if (!(url in contexts)) throw new Error(`no copy of the context ${url}`);
    return { contextUrl: null, document: contexts[url], documentUrl: url };
  },
})).digest();

async function verify(item, request) {
  const contexts = JSON.parse(readFileSync(request.contexts, "utf8"));
  const { proof, ...document } = item.content;
  const { jws, ...options } = proof;
  const signed = Buffer.concat([
    await digest({ "@context": document["@context"], ...options }, contexts), await digest(document, contexts),
  ]);
  const [header, , signature] = jws.split(".");
  const kid = decodeURIComponent(proof.verificationMethod.split("#")[1]);
  const signer = new X509Certificate(Buffer.from(request.listSigner, "base64"));
  if (!byKID([signer.toString()]).has(kid)) throw new Error("another key");
  const input = Buffer.concat([Buffer.from(`${header}.`), signed]);
  if (!verifySignature("sha256", input, { key: signer.publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"))) {
    throw new Error("the proof does not verify");
  }
  return { content: document };
}

await answer({ verify });
