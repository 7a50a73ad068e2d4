#!/usr/bin/env bash
# A Postgres cluster of its own in the data folder, as Debian's package configures one: every commit is on the disk.
#   postgres.sh init DATA                          makes it
#   postgres.sh run DATA PREPARE PROGRAM PORT      runs it until it is ended, after PREPARE once; says a line when it is ready
set -euo pipefail
data=$2
programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$programs" ] && PATH="$programs:$PATH"
as_owner=()
[ "$(id -u)" = 0 ] && as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
home=$data/postgres

if [ "$1" = init ]; then
  mkdir -m 755 "$home"
  [ "$(id -u)" = 0 ] && chown postgres "$home"
  cd "$home"
  "${as_owner[@]}" initdb --pgdata="$home/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C \
    >"$data/initdb.log"
  exit
fi

cd "$home"
"${as_owner[@]}" postgres -D "$home/data" -c listen_addresses= -c unix_socket_directories="$home" \
  </dev/null >"$data/postgres.log" 2>&1 &
server=$!
trap 'kill -INT "$server"; wait "$server" || true; exit 0' TERM INT
for _ in $(seq 300); do
  pg_isready --quiet --host="$home" --username=postgres && break
  sleep 0.1
done
url="postgres://postgres@localhost:5432/postgres?host=$home"
[ -f "$data/vestibule.toml" ] || "$3" "$4" "$data" "$5" "$url" >"$data/prepare.log" 2>&1
echo ready
wait "$server"
