// JSON schemas with Ajv.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { answer } from "./peer.mjs";

function verify(item, request) {
  const ajv = new Ajv2020.default({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const valid = ajv.compile(JSON.parse(readFileSync(request.schema, "utf8")));
  if (!valid(item.content)) throw new Error(ajv.errorsText(valid.errors));
  return {};
}

await answer({ verify });
