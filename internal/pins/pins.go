// Package pins keeps modules in go.mod while their users are being written.
package pins

import (
	_ "github.com/ThalesGroup/crypto11"
	_ "github.com/hashicorp/vault/api"
	_ "github.com/piprate/json-gold/ld"
	_ "github.com/smallstep/pkcs7"
)
