#!/usr/bin/env bash
# A throw-away Postgres cluster, for tests.
#
# Prints its address as one line on standard output, runs until its standard input ends, then leaves
# nothing behind: whoever holds the other end of that pipe owns the cluster, and even a killed test
# cannot forget it. Reachable over a Unix socket alone, so no port can be taken; nothing in it survives
# a crash, which is what makes it quick. Postgres refuses to be root, so root hands it to `postgres`.
#
#   tests/support/postgres.sh                       # by hand: ends with Ctrl-D
set -euo pipefail

say() { echo "postgres.sh: $*" >&2; }

# Debian keeps each version's programs off the PATH; the newest wins.
programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$programs" ] && PATH="$programs:$PATH"
if ! command -v initdb >/dev/null || ! command -v postgres >/dev/null; then
  say "initdb and postgres were not found: install Debian's package postgresql"
  exit 3
fi

as_owner=()
# Not under TMPDIR: the path of a socket may have 107 bytes at most.
home=$(mktemp -d /tmp/vestibule-postgres.XXXXXX)
if [ "$(id -u)" = 0 ]; then
  as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
  chown postgres "$home"
fi

server=
finish() {
  trap - EXIT
  if [ -n "$server" ]; then
    kill -QUIT "$server" 2>/dev/null || true # immediate: there is nothing to save
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

cd "$home"
if ! "${as_owner[@]}" initdb --pgdata="$home/data" --username=postgres --auth=trust --encoding=UTF8 \
  --locale=C --no-sync >"$home/initdb.log" 2>&1; then
  cat "$home/initdb.log" >&2
  exit 1
fi

"${as_owner[@]}" postgres -D "$home/data" \
  -c listen_addresses= -c unix_socket_directories="$home" -c max_connections=400 \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB \
  -c max_wal_size=256MB -c autovacuum=off -c logging_collector=off \
  </dev/null >"$home/server.log" 2>&1 &
server=$!

for _ in $(seq 300); do
  if pg_isready --quiet --host="$home" --username=postgres; then
    echo "postgres://postgres@localhost:5432/postgres?host=$home"
    # The owner writes nothing: this ends when the owner does.
    cat >/dev/null
    exit 0
  fi
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
say "the server did not start:"
cat "$home/server.log" >&2
exit 1
