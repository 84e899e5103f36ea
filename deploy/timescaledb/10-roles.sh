#!/bin/sh
# At the first start of the database: make an owner that is no superuser, and a reader.
set -eu
export GUARDIAN_SECRETS="${GUARDIAN_SECRETS:-/run/secrets/guardian}"

# psql reads the passwords itself: arguments can be seen in the list of processes.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner `cat "$GUARDIAN_SECRETS/owner_password"`
\set reader `cat "$GUARDIAN_SECRETS/reader_password"`
\set metabase `cat "$GUARDIAN_SECRETS/metabase_password"`
CREATE ROLE guardian LOGIN PASSWORD :'owner';
CREATE ROLE guardian_reader LOGIN PASSWORD :'reader';
CREATE ROLE metabase LOGIN PASSWORD :'metabase';
ALTER ROLE guardian_reader SET default_transaction_read_only = on;
ALTER ROLE guardian_reader SET statement_timeout = '30s';
ALTER ROLE guardian_reader CONNECTION LIMIT 20;
CREATE DATABASE guardian OWNER guardian;
CREATE DATABASE metabase OWNER metabase;
REVOKE CONNECT ON DATABASE guardian FROM PUBLIC;
GRANT CONNECT ON DATABASE guardian TO guardian_reader;
REVOKE CONNECT ON DATABASE metabase FROM PUBLIC;
SQL
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname guardian <<'SQL'
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO guardian;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
    CREATE EXTENSION IF NOT EXISTS timescaledb;
  END IF;
END
$$;
SQL
