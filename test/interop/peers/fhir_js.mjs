// FHIR R4 resources with fhir (FHIR.js) and its own copy of the R4 definitions.
import fhir from "fhir";
import { answer } from "./peer.mjs";

const validator = new fhir.Fhir();

function verify(item) {
  const { valid, messages } = validator.validate(item.content, { errorOnUnexpected: true });
  const errors = messages.filter((m) => m.severity === "error" || m.severity === "fatal");
  if (!valid || errors.length > 0) throw new Error(errors.map((m) => `${m.location}: ${m.message}`).join("; "));
  return {};
}

await answer({ verify });
