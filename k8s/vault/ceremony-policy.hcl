# Policy of a key ceremony. A ceremony makes key versions, has them certified, and retires
# old ones. Its token lives for minutes and is given out by two people (docs/vault.md): it can
# sign, because a certificate request is signed with the key that it is for.
#
# "+" stands for one name. Give the keys of the gateway a transit mount of their own.

path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# Make keys that never leave Vault, and read public keys. Parameters cannot be required here,
# as that would deny reading; what is left out is false, and never an exportable key.
path "transit/keys/+" {
  capabilities = ["create", "read", "update"]
  allowed_parameters = {
    "type"                   = ["ecdsa-p256", "managed_key"]
    "exportable"             = [false]
    "allow_plaintext_backup" = [false]
    "auto_rotate_period"     = ["0"]
    "managed_key_name"       = []
    "managed_key_id"         = []
  }
}

# Make the next version.
path "transit/keys/+/rotate" {
  capabilities = ["create", "update"]
  allowed_parameters = {
    "managed_key_name" = []
    "managed_key_id"   = []
  }
}

# Retire versions: raise the floors. Not named, and so denied: exportable,
# allow_plaintext_backup, deletion_allowed, auto_rotate_period.
path "transit/keys/+/config" {
  capabilities = ["create", "update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}

# Sign certificate requests.
path "transit/sign/+/sha2-256" {
  capabilities        = ["create", "update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = []
  }
}
