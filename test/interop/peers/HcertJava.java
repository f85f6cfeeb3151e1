import COSE.HeaderKeys;
import COSE.Attribute;
import COSE.AlgorithmID;
import COSE.Message;
import COSE.MessageTag;
import COSE.OneKey;
import COSE.Sign1Message;
import com.upokecenter.cbor.CBORObject;
import java.io.ByteArrayInputStream;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import se.digg.dgc.encoding.Base45;
import se.digg.dgc.encoding.Zlib;
import se.digg.dgc.service.impl.DefaultDGCDecoder;
import se.digg.dgc.service.impl.DefaultDGCEncoder;
import se.digg.dgc.signatures.impl.DefaultDGCSignatureVerifier;
import se.digg.dgc.signatures.impl.DefaultDGCSigner;
import se.digg.dgc.uvci.UVCIChecksumCalculator;

/** HCERT in Java: with cose-java, or EU DCC with the library of Sweden's Agency for Digital Government (dgc-create-validate). */
public final class HcertJava {
  private static final CBORObject HCERT = CBORObject.FromObject(-260);

  public static void main(String[] args) throws Exception {
    var request = CBORObject.ReadJSON(System.in);
    var answers = CBORObject.NewArray();
    for (var item : request.get("items").getValues()) {
      CBORObject answer;
      try {
        answer = run(request.get("task").AsString() + " " + args[0], item, request).Add("accepted", true);
      } catch (Exception refusal) { // whatever a library throws is its refusal
        answer = CBORObject.NewMap().Add("accepted", false).Add("why", String.valueOf(refusal));
      }
      answers.Add(answer);
    }
    System.out.print(answers.ToJSONString());
  }

  private static CBORObject run(String task, CBORObject item, CBORObject request) throws Exception {
    return switch (task) {
      case "verify cose-java" -> verify(item, request);
      case "issue cose-java" -> issue(item, request);
      case "verify digg" -> verifyDIGG(item, request);
      case "issue digg" -> issueDIGG(item, request);
      default -> throw new IllegalArgumentException(task);
    };
  }

  private static CBORObject verify(CBORObject item, CBORObject request) throws Exception {
    var message = (Sign1Message) Message.DecodeFromBytes(cose(item.get("text").AsString()), MessageTag.Sign1);
    var kid = message.findAttribute(HeaderKeys.KID, Attribute.PROTECTED).GetByteString();
    if (!message.validate(new OneKey(signers(request).get(text(kid)).getPublicKey(), null))) {
      throw new IllegalStateException("the signature does not verify");
    }
    var cwt = CBORObject.DecodeFromBytes(message.GetContent());
    var subClaim = cwt.get(HCERT).getKeys().iterator().next();
    return claims(text(kid), cwt.get(1).AsString(), cwt.get(6).AsInt64Value(), cwt.ContainsKey(CBORObject.FromObject(4)) ? cwt.get(CBORObject.FromObject(4)).AsInt64Value() : 0)
        .Add("subClaim", subClaim).Add("content", cwt.get(HCERT).get(subClaim));
  }

  private static CBORObject issue(CBORObject item, CBORObject request) throws Exception {
    var signer = signers(request).entrySet().iterator().next();
    var cwt = CBORObject.NewMap().Add(1, item.get("issuer")).Add(4, item.get("expiresAt")).Add(6, item.get("issuedAt"))
        .Add(HCERT, CBORObject.NewMap().Add(item.get("subClaim"), item.get("content")));
    var message = new Sign1Message();
    message.addAttribute(HeaderKeys.Algorithm, AlgorithmID.ECDSA_256.AsCBOR(), Attribute.PROTECTED);
    message.addAttribute(HeaderKeys.KID, CBORObject.FromObject(Base64.getDecoder().decode(signer.getKey())), Attribute.PROTECTED);
    message.SetContent(cwt.EncodeToBytes());
    message.sign(new OneKey(signer.getValue().getPublicKey(), key(request)));
    return CBORObject.NewMap().Add("text", "HC1:" + Base45.getEncoder().encodeToString(Zlib.compress(message.EncodeToBytes())));
  }

  private static CBORObject verifyDIGG(CBORObject item, CBORObject request) throws Exception {
    var trusted = List.copyOf(signers(request).values());
    var verifier = new DefaultDGCSignatureVerifier();
    var result = verifier.verify(cose(item.get("text").AsString()), (country, kid) -> trusted);
    var content = CBORObject.DecodeFromBytes(result.getDgcPayload());
    new DefaultDGCDecoder(verifier, (country, kid) -> trusted).decode(item.get("text").AsString().substring("HC1:".length())); // reads the content into its own types
    for (var group : List.of("v", "t", "r")) {
      if (content.ContainsKey(group) && !UVCIChecksumCalculator.validateChecksum(content.get(group).get(0).get("ci").AsString())) {
        throw new IllegalStateException("the check character of the certificate identifier");
      }
    }
    return claims(text(result.getKid()), result.getCountry(), result.getIssuedAt().getEpochSecond(), result.getExpires().getEpochSecond())
        .Add("subClaim", 1).Add("content", content);
  }

  private static CBORObject issueDIGG(CBORObject item, CBORObject request) throws Exception {
    var signer = new DefaultDGCSigner(key(request), signers(request).values().iterator().next());
    var text = new DefaultDGCEncoder(signer).encode(item.get("content").EncodeToBytes(), Instant.ofEpochSecond(item.get("expiresAt").AsInt64Value()));
    return CBORObject.NewMap().Add("text", text.startsWith("HC1:") ? text : "HC1:" + text);
  }

  private static CBORObject claims(String kid, String issuer, long issuedAt, long expiresAt) {
    return CBORObject.NewMap().Add("kid", kid).Add("issuer", issuer).Add("issuedAt", issuedAt).Add("expiresAt", expiresAt);
  }

  private static byte[] cose(String text) throws Exception {
    return Zlib.decompress(Base45.getDecoder().decode(text.substring("HC1:".length())), true);
  }

  /** The document signer certificates by their key id in an HCERT. */
  private static Map<String, X509Certificate> signers(CBORObject request) throws Exception {
    var byKID = new HashMap<String, X509Certificate>();
    for (var pem : request.get("dsc").getValues()) {
      var certificate = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem.AsString().getBytes()));
      var digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
      byKID.put(text(Arrays.copyOf(digest, 8)), certificate);
    }
    return byKID;
  }

  private static PrivateKey key(CBORObject request) throws Exception {
    var der = request.get("key").AsString().replaceAll("-----.*?-----|\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(der)));
  }

  private static String text(byte[] raw) {
    return Base64.getEncoder().encodeToString(raw);
  }
}
