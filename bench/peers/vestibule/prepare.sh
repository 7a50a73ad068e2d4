#!/bin/sh
# A production server's configuration in the data folder, its schema, and the realms of the benchmark.
#   prepare.sh PROGRAM DATA PORT DATABASE
set -eu
program=$1 data=$2 port=$3 database=$4
here=$(dirname "$0")
(umask 077 && head -c 32 /dev/urandom | base64 >"$data/key-encryption.key")
cat >"$data/vestibule.toml" <<END
public_url = "https://127.0.0.1:$port"
listen = "127.0.0.1:$port"
management_listen = ""
behind_tls_proxy = true
trusted_proxies = ["127.0.0.1"]
database = "$database"
key_file = "key-encryption.key"
[limits]
connections = 20000
[log]
level = "warn"
END
"$program" migrate --config "$data/vestibule.toml"
"$program" apply --config "$data/vestibule.toml" "$here/realms.toml"
