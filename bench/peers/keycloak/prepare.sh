#!/bin/sh
# Keycloak in the data folder: unpacked, built for its database, with the realms of the benchmark.
#   prepare.sh DIST DATA REALMS
set -eu
dist=$1 data=$2 realms=$3
mkdir "$data/keycloak"
tar xzf "$dist"/keycloak-quarkus-dist-*.tar.gz --strip-components=1 -C "$data/keycloak"
"$data/keycloak/bin/kc.sh" build --db=dev-file --metrics-enabled=false >"$data/prepare.log" 2>&1
"$data/keycloak/bin/kc.sh" import --optimized --dir="$realms" >>"$data/prepare.log" 2>&1
