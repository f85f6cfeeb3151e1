// The signed trust list with jose and the X.509 of Node.
import { X509Certificate } from "node:crypto";
import { compactVerify } from "jose";
import { answer } from "./peer.mjs";

async function verify(item, request) {
  const header = JSON.parse(Buffer.from(item.text.split(".")[0], "base64url"));
  const [signer, issuer] = header.x5c.map((der) => new X509Certificate(Buffer.from(der, "base64")));
  const anchor = new X509Certificate(request.csca[0]);
  if (!issuer.raw.equals(anchor.raw) || !signer.checkIssued(anchor) || !signer.verify(anchor.publicKey)) throw new Error("the signer does not lead to the CSCA");
  const { payload } = await compactVerify(item.text, signer.publicKey, { algorithms: ["ES256"] });
  const content = JSON.parse(Buffer.from(payload).toString("utf8"));
  for (const { certificateType, rawData } of content.certificates) {
    const certificate = new X509Certificate(Buffer.from(rawData, "base64"));
    if (!certificate.verify(anchor.publicKey)) throw new Error(`a ${certificateType} is not of the CSCA`);
  }
  return { content };
}

await answer({ verify });
