import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.hl7.fhir.common.hapi.validation.support.CachingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseOperationOutcome;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.OperationOutcome.IssueSeverity;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.hl7.fhir.utilities.npm.NpmPackage;

/**
 * The instance validator of HL7, as HAPI has it, with the definitions of FHIR R4, those of the
 * guides whose packages (.tgz) are arguments, and those code systems that need no terminology
 * server. It reads resources in JSON from its standard input and
 * writes an OperationOutcome for each to its standard output, until the input ends. Both are
 * preceded by their length in bytes, four bytes, the highest first.
 */
public final class Validator {
  private Validator() {}

  public static void main(String[] args) throws Exception {
    DataInputStream asked = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream answers = new DataOutputStream(new BufferedOutputStream(System.out));
    System.setOut(System.err); // libraries print
    FhirContext fhir = FhirContext.forR4();
    PrePopulatedValidationSupport guides = new PrePopulatedValidationSupport(fhir);
    for (String file : args) {
      load(fhir, guides, file);
    }
    FhirValidator validator = validator(fhir, guides);
    while (true) {
      byte[] resource;
      try {
        resource = asked.readNBytes(asked.readInt());
      } catch (EOFException end) {
        return;
      }
      IBaseOperationOutcome outcome = validate(validator, new String(resource, StandardCharsets.UTF_8));
      byte[] answer = fhir.newJsonParser().encodeResourceToString(outcome).getBytes(StandardCharsets.UTF_8);
      answers.writeInt(answer.length);
      answers.write(answer);
      answers.flush();
    }
  }

  private static void load(FhirContext fhir, PrePopulatedValidationSupport guides, String file) throws IOException {
    NpmPackage guide;
    try (InputStream in = new FileInputStream(file)) {
      guide = NpmPackage.fromPackage(in);
    }
    for (String name : guide.listResources("StructureDefinition", "ValueSet", "CodeSystem")) {
      try (InputStream in = guide.loadResource(name)) {
        guides.addResource(fhir.newJsonParser().parseResource(in));
      }
    }
  }

  private static FhirValidator validator(FhirContext fhir, PrePopulatedValidationSupport guides) {
    ValidationSupportChain definitions =
        new ValidationSupportChain(
            guides,
            new DefaultProfileValidationSupport(fhir),
            new CommonCodeSystemsTerminologyService(fhir),
            new InMemoryTerminologyServerValidationSupport(fhir),
            new SnapshotGeneratingValidationSupport(fhir));
    FhirValidator validator = fhir.newValidator();
    validator.registerValidatorModule(new FhirInstanceValidator(new CachingValidationSupport(definitions)));
    return validator;
  }

  private static IBaseOperationOutcome validate(FhirValidator validator, String resource) {
    try {
      return validator.validateWithResult(resource).toOperationOutcome();
    } catch (RuntimeException unreadable) {
      OperationOutcome outcome = new OperationOutcome();
      outcome.addIssue().setSeverity(IssueSeverity.FATAL).setCode(IssueType.STRUCTURE).setDiagnostics(unreadable.toString());
      return outcome;
    }
  }
}
