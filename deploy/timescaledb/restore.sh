#!/bin/sh
# Replace the database by a backup: restore.sh < FILE, as a superuser, with Guardian stopped.
# A new database is filled beside the old one, which is kept as NAME_before: a failure changes nothing.
set -eu
name="${GUARDIAN_DATABASE:-guardian}"
owner="${GUARDIAN_DATABASE_OWNER:-guardian}"
new="${name}_restored"
old="${name}_before"
version=""
export PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"
# Renaming warns of jobs that stand still; they are started again below.
export PGOPTIONS="-c client_min_messages=error"

run() { # DATABASE: the statements that are read, with the names as variables
  psql -X -q -A -t -v ON_ERROR_STOP=1 -v name="$name" -v owner="$owner" -v new="$new" \
    -v old="$old" -v version="$version" -d "$1"
}

refuse() {
  echo "$1" >&2
  exit 1
}

[ -z "$(echo "SELECT 1 FROM pg_database WHERE datname = :'old'" | run postgres)" ] \
  || refuse "The database $old of an earlier restore is still there. Drop it when it is not needed."
[ -z "$(echo "SELECT 1 FROM pg_stat_activity WHERE datname = :'name' AND usename = :'owner'
  AND backend_type = 'client backend' LIMIT 1" | run postgres)" ] \
  || refuse "Guardian is still connected to $name. Stop it first."

# The backup is read more than once, so it is copied: to the server's folder, since a container's /tmp
# may have no room for it.
swapping=""
give_up() { # whatever ended it: the backup's copy goes, and so does what it half filled
  status=$?
  rm -f "$dump"
  [ "$status" -eq 0 ] || [ -n "$swapping" ] || {
    echo 'DROP DATABASE IF EXISTS :"new" WITH (FORCE)' | run postgres || true
    echo "Nothing was restored; $name is as it was." >&2
  }
}
dump="$(mktemp -p "${PGDATA:-${TMPDIR:-/tmp}}" guardian-restore.XXXXXX)"
trap give_up EXIT
trap 'exit 1' HUP INT TERM
cat > "$dump"
pg_restore --list "$dump" > /dev/null
version="$(pg_restore -f - --data-only -n _timescaledb_catalog -t metadata "$dump" \
  | awk '$1 == "timescaledb_version" { print $2 }')"

# From template0: in images of TimescaleDB the usual template has the extension in another version.
run postgres <<'SQL'
DROP DATABASE IF EXISTS :"new" WITH (FORCE);
CREATE DATABASE :"new" OWNER :"owner" TEMPLATE template0;
REVOKE CONNECT ON DATABASE :"new" FROM PUBLIC;
SELECT format('GRANT CONNECT ON DATABASE %I TO guardian_reader', :'new')
FROM pg_roles WHERE rolname = 'guardian_reader' AND has_database_privilege(oid, :'name', 'CONNECT')
\gexec
SQL
# The backup holds the extension's own tables, in the form of the version that made it.
[ -z "$version" ] || run "$new" > /dev/null <<'SQL'
CREATE EXTENSION timescaledb VERSION :'version';
SELECT timescaledb_pre_restore();
SQL
# Jobs of TimescaleDB run as the owner of their table, so that role must be kept. For a backup without
# the extension, the roles of the server it came from need not exist here.
[ -n "$version" ] || set -- --no-owner "--role=$owner"
# `migrate` makes the views of dashboards; those of the backup would only be in its way.
pg_restore --exit-on-error --no-privileges --exclude-schema=reporting "$@" -d "$new" "$dump"
other="$(echo "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'
  AND tableowner <> :'owner' LIMIT 1" | run "$new")"
[ -z "$other" ] || refuse "The tables of the backup belong to $other, who is not $owner."
[ -z "$version" ] || run "$new" > /dev/null <<'SQL'
SELECT timescaledb_post_restore();
-- Backups do not hold the settings of a database.
ALTER DATABASE :"new" SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
SQL
run "$new" <<'SQL'
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"owner";
ANALYZE;
SQL

swapping=yes
# A database can only be renamed while nobody is connected. The old one stays closed, so that none of
# its jobs runs.
run postgres > /dev/null <<'SQL' || {
ALTER DATABASE :"name" WITH ALLOW_CONNECTIONS false;
ALTER DATABASE :"new" WITH ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname IN (:'name', :'new');
BEGIN;
ALTER DATABASE :"name" RENAME TO :"old";
ALTER DATABASE :"new" RENAME TO :"name";
ALTER DATABASE :"name" WITH ALLOW_CONNECTIONS true;
COMMIT;
SQL
  echo 'ALTER DATABASE :"name" WITH ALLOW_CONNECTIONS true' | run postgres
  refuse "$name is as it was; what was restored is in $new."
}
[ -z "$version" ] \
  || echo "SELECT _timescaledb_functions.restart_background_workers()" | run "$name" > /dev/null
echo "The database $name is that of the backup; what it was before is $old, closed."
