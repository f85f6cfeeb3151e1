// EU DCC and WHO HCERT with @pathcheck/dcc-sdk (GPL-3.0-only), by its public functions
// alone and in a process of its own: a test peer, never part of the product.
console.log = console.error; // standard output is for the answers
const sdk = require("@pathcheck/dcc-sdk");

async function verify(item, request) {
  const { byKID, claims } = await import("./peer.mjs");
  sdk.addCachedCerts(Object.fromEntries([...byKID(request.dsc)].map(([kid, c]) => [kid, c.raw.toString("base64")])));
  const result = await sdk.unpackAndVerify(item.text);
  if (result?.status !== "verified") throw new Error(`status ${result?.status}`);
  return claims("", result.contents);
}

async function issue(item, request) {
  const cwt = await sdk.makeCWT(item.content, 6, item.issuer);
  return { text: await sdk.signAndPack(cwt, request.dsc[0], request.key) };
}

import("./peer.mjs").then(({ answer }) => answer({ verify, issue }));
