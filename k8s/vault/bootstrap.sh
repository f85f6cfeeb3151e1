#!/bin/sh
# Sets Vault up for the signer: writes the parts of bootstrap.json that are named, or with
# "policies" the policies beside it. Needs curl and jq. See docs/vault.md.
#
#   VAULT_ADDR=https://vault:8200 VAULT_TOKEN_FILE=token VAULT_CACERT=ca.pem \
#     DDCC_SIGNER_CIDR=10.0.0.0/24 k8s/vault/bootstrap.sh policies transit approle
#
# The token is read from a file and reaches curl by a file, so that no listing of processes
# shows it. A ${NAME} in bootstrap.json is replaced by the variable of that name.
set -eu

[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(dirname "$0")
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
printf 'X-Vault-Token: %s\nX-Vault-Request: true\n' "$(cat "$VAULT_TOKEN_FILE")" > "$headers"
[ -z "${VAULT_NAMESPACE:-}" ] || printf 'X-Vault-Namespace: %s\n' "$VAULT_NAMESPACE" >> "$headers"

# post PATH: the body comes on standard input.
post() {
	echo "$1" >&2
	curl --silent --show-error --fail --output /dev/null ${VAULT_CACERT:+--cacert "$VAULT_CACERT"} \
		--header "@$headers" --data-binary @- "$VAULT_ADDR/v1/$1"
}

for part in "$@"; do
	if [ "$part" = policies ]; then
		for name in signer ceremony csca; do
			jq -cnR '{policy: [inputs] | join("\n")}' "$here/$name-policy.hcl" | post "sys/policies/acl/ddcc-$name"
		done
		continue
	fi
	steps=$(jq -c --arg part "$part" '(.[$part] // error("there is no part " + $part))[] | walk(
		if type == "string" then gsub("\\$\\{(?<n>[A-Z_]+)\\}"; env[.n] // error("set " + .n)) else . end
	)' "$here/bootstrap.json")
	printf '%s\n' "$steps" | while IFS= read -r step; do
		path=$(printf '%s' "$step" | jq -r .path)
		printf '%s' "$step" | jq -c .body | post "$path"
	done
done
