import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.stream.Collectors;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** FHIR R4 resources with HAPI's instance validator and the R4 definitions that come with it; no network. */
public final class FhirHapi {
  public static void main(String[] args) throws Exception {
    var json = new ObjectMapper();
    var fhir = FhirContext.forR4();
    var support = new ValidationSupportChain(
        new DefaultProfileValidationSupport(fhir),
        new CommonCodeSystemsTerminologyService(fhir),
        new InMemoryTerminologyServerValidationSupport(fhir));
    var instance = new FhirInstanceValidator(support);
    instance.setAnyExtensionsAllowed(true);
    instance.setErrorForUnknownProfiles(false);
    var validator = fhir.newValidator().registerValidatorModule(instance);
    ArrayNode answers = json.createArrayNode();
    for (var item : json.readTree(System.in).get("items")) {
      var errors = validator.validateWithResult(item.get("content").toString()).getMessages().stream()
          .filter(m -> m.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0)
          .map(FhirHapi::line).collect(Collectors.joining("; "));
      ObjectNode answer = answers.addObject();
      answer.put("accepted", errors.isEmpty()).put("why", errors);
    }
    json.writeValue(System.out, answers);
  }

  private static String line(SingleValidationMessage m) {
    return m.getLocationString() + ": " + m.getMessage();
  }
}
