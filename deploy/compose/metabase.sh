#!/bin/sh
# Start Metabase as its own user. Its image's script reads these files too, but only as root.
set -eu
MB_DB_PASS="$(cat /run/secrets/guardian/database_password)"
MB_ENCRYPTION_SECRET_KEY="$(cat /run/secrets/guardian/encryption_key)"
export MB_DB_PASS MB_ENCRYPTION_SECRET_KEY
# Several options, hence without quotes.
exec java ${JAVA_OPTS:-} -jar /app/metabase.jar
