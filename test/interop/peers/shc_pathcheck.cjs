// SMART Health Cards with @pathcheck/shc-sdk (GPL-3.0-only), by its public functions alone
// and in a process of its own: a test peer, never part of the product. It asks a registry on
// the internet first, which is not to be had here, and then fetches the keys from the
// address that a card names; that address leads to the gateway under test.
const https = require("node:https");
console.log = console.error = () => {}; // it logs every step, and standard output is for the answers
const sdk = require("@pathcheck/shc-sdk");

const connect = https.globalAgent.createConnection;

function redirect(issuer, { host, port }) {
  https.globalAgent.createConnection = function (options, done) {
    if (options.host !== new URL(issuer).hostname) throw new Error("there is no internet in this test");
    return connect.call(this, { ...options, host, port }, done);
  };
}

async function verify(item, request) {
  redirect(request.issuer, request.gateway);
  const result = await sdk.unpackAndVerify(item.text);
  if (!result?.credential) throw new Error("the signature does not verify");
  return { content: result.credential };
}

async function issue(item, request) {
  const jwt = await sdk.makeJWT(item.content.vc, request.issuer, new Date());
  return { text: await sdk.signAndPack(jwt, request.jwk) };
}

import("./peer.mjs").then(({ answer }) => answer({ verify, issue }));
