# Policy of a ceremony whose CSCA is in Vault PKI (`ddcc keys ceremony --pki pki-csca/default`).
# The CSCA of a production system belongs offline; this is for test and acceptance systems, or
# for a managed key of an HSM behind the PKI engine (Vault Enterprise).
#
# sign-verbatim copies the extensions of the request, which is the only way to a private key
# usage period in a certificate from Vault. The ceremony lints what comes back. Hand the token
# out for the length of one ceremony.

path "pki-csca/issuer/default/json" {
  capabilities = ["read"]
}
path "pki-csca/issuer/default/sign-verbatim" {
  capabilities        = ["create", "update"]
  required_parameters = ["csr", "not_after"]
  allowed_parameters = {
    "csr"                                = []
    "not_after"                          = []
    "key_usage"                          = []
    "ext_key_usage"                      = []
    "signature_bits"                     = []
    "format"                             = ["pem"]
    "basic_constraints_valid_for_non_ca" = [true]
  }
}
path "pki-csca/issuer/default/sign-revocation-list" {
  capabilities        = ["create", "update"]
  required_parameters = ["crl_number", "next_update"]
  allowed_parameters = {
    "crl_number"    = []
    "next_update"   = []
    "revoked_certs" = []
    "format"        = ["pem"]
  }
}
