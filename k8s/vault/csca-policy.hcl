# Policy of a ceremony that has document signer certificates issued by a CSCA in Vault PKI.
# The CSCA of a production system belongs offline; this is for test and acceptance systems, or
# with a managed key of an HSM behind the PKI engine (Vault Enterprise).
#
# sign-verbatim copies the extensions of the request, which is the only way to a private key
# usage period in a certificate from Vault. The role bounds the rest.

path "pki-csca/sign-verbatim/ddcc-dsc" {
  capabilities        = ["create", "update"]
  required_parameters = ["csr", "ttl"]
  allowed_parameters = {
    "csr"           = []
    "ttl"           = []
    "format"        = ["pem"]
    "key_usage"     = ["DigitalSignature"]
    "ext_key_usage" = [""]
  }
}
path "pki-csca/cert/ca" {
  capabilities = ["read"]
}
path "pki-csca/cert/crl" {
  capabilities = ["read"]
}
path "pki-csca/revoke" {
  capabilities = ["create", "update"]
  allowed_parameters = {
    "serial_number" = []
  }
}
