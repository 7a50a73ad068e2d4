#!/bin/sh
# Configuration, schema and client of Hydra in the data folder.
#   prepare.sh PROGRAM DATA PORT ADMIN_PORT LOGIN_PORT
set -eu
program=$1 data=$2 port=$3 admin=$4 login=$5
cat >"$data/hydra.yml" <<END
dsn: sqlite://$data/hydra.db?_fk=true
serve:
  public: { host: 127.0.0.1, port: $port }
  admin: { host: 127.0.0.1, port: $admin }
urls:
  self: { issuer: "http://127.0.0.1:$port/" }
  login: http://127.0.0.1:$login/login
  consent: http://127.0.0.1:$login/consent
secrets: { system: [0123456789abcdef0123456789abcdef] }
strategies: { access_token: jwt }
log: { level: error }
END
"$program" migrate sql up --yes --config "$data/hydra.yml" "sqlite://$data/hydra.db?_fk=true" >"$data/prepare.log" 2>&1 ||
  "$program" migrate sql --yes "sqlite://$data/hydra.db?_fk=true" --config "$data/hydra.yml" >>"$data/prepare.log" 2>&1
"$program" serve all --dev --config "$data/hydra.yml" --sqa-opt-out >>"$data/prepare.log" 2>&1 &
server=$!
trap 'kill "$server"; wait "$server" || true' EXIT
node -e '
const client = {
  client_id: "bench", client_secret: "bench-secret-0123456789abcdef", scope: "openid offline_access",
  grant_types: ["authorization_code", "refresh_token", "client_credentials"], response_types: ["code"],
  redirect_uris: ["http://127.0.0.1:9999/callback"], token_endpoint_auth_method: "client_secret_basic",
}
const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(client) }
for (let tries = 0; ; tries++) {
  const answer = await fetch(`http://127.0.0.1:${process.argv[1]}/admin/clients`, options).catch(() => null)
  if (answer?.ok) break
  if (tries > 150) throw new Error(answer ? await answer.text() : "no answer")
  await new Promise((resolve) => setTimeout(resolve, 200))
}' --input-type=module "$admin"
