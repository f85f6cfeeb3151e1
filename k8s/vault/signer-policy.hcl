# Policy of the signing service. It is generated from the keys that sign: change those, not
# this file. Attach no other policy to its role: policies add up, and one that grants the
# same path without parameters lifts every restriction below.

# Its own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "transit/sign/dsc-vaccination/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-vaccination" {
  capabilities = ["read"]
}

path "transit/sign/dsc-test/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-test" {
  capabilities = ["read"]
}

path "transit/sign/dsc-recovery/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-recovery" {
  capabilities = ["read"]
}

path "transit/sign/dsc-document/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-document" {
  capabilities = ["read"]
}

path "transit/sign/dsc-shc/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-shc" {
  capabilities = ["read"]
}

path "transit/sign/dsc-vdsnc/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-vdsnc" {
  capabilities = ["read"]
}

path "transit/sign/dsc-trustlist/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/dsc-trustlist" {
  capabilities = ["read"]
}

path "transit/sign/upload/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = ["1"]
  }
}
path "transit/keys/upload" {
  capabilities = ["read"]
}
