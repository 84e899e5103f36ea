#!/bin/sh
# Make the secrets that are missing, in one folder for each part that reads them, and never change
# one that exists. Only those that come from outside (.env) are written anew at each start.
set -eu
umask 077
ROOT="${SECRETS_ROOT:-/secrets}"

random() { # LENGTH: letters and digits only, so that it needs no quoting in an address
  head -c 4096 /dev/urandom | tr -dc 'A-Za-z0-9' | head -c "$1"
}

keep() { # FILE VALUE: write it if it is not there; whole or not at all
  [ -s "$1" ] && return 0
  printf '%s' "$2" > "$1.new"
  mv "$1.new" "$1"
}

put() { # FILE VALUE: write it whatever is there
  printf '%s' "$2" > "$1.new"
  mv "$1.new" "$1"
}

give() { # FOLDER USER_ID: to its reader alone
  chmod 500 "$ROOT/$1"
  chmod 400 "$ROOT/$1"/*
  [ "$(id -u)" -ne 0 ] || chown -R "$2:$2" "$ROOT/$1"
}

for folder in app database redis redis-commander grafana alertmanager pgadmin metabase; do
  mkdir -p "$ROOT/$folder"
  chmod 700 "$ROOT/$folder"
done

keep "$ROOT/database/superuser_password" "$(random 40)"
keep "$ROOT/database/owner_password" "$(random 40)"
keep "$ROOT/database/reader_password" "$(random 40)"
keep "$ROOT/database/metabase_password" "$(random 40)"
keep "$ROOT/redis/password" "$(random 40)"
owner="$(cat "$ROOT/database/owner_password")"
reader="$(cat "$ROOT/database/reader_password")"
metabase="$(cat "$ROOT/database/metabase_password")"
redis="$(cat "$ROOT/redis/password")"

put "$ROOT/redis/redis.conf" "requirepass $redis
"
keep "$ROOT/app/secret_key" "$(random 64)"
# A key other than that of sessions, so that each can be changed without the other.
keep "$ROOT/app/jwt_keys" "$(random 64)"
keep "$ROOT/app/webhook_token" "$(random 48)"
put "$ROOT/app/database_url" "postgres://guardian:$owner@timescaledb:5432/guardian"
put "$ROOT/app/redis_url" "redis://:$redis@redis:6379/0"
put "$ROOT/app/slack_webhook_url" "${SLACK_WEBHOOK_URL:-}"
put "$ROOT/app/slack_bot_token" "${SLACK_BOT_TOKEN:-}"
put "$ROOT/app/slack_signing_secret" "${SLACK_SIGNING_SECRET:-}"
put "$ROOT/app/telegram_bot_token" "${TELEGRAM_BOT_TOKEN:-}"
put "$ROOT/app/old_secret_keys" "${GUARDIAN_OLD_SECRET_KEYS:-}"
put "$ROOT/app/oidc_client_secret" "${GUARDIAN_OIDC_CLIENT_SECRET:-}"
put "$ROOT/app/stream_url" "${GUARDIAN_STREAM_URL:-}"
put "$ROOT/app/otlp_headers" "${OTEL_EXPORTER_OTLP_HEADERS:-}"
put "$ROOT/app/otlp_traces_headers" "${OTEL_EXPORTER_OTLP_TRACES_HEADERS:-}"

keep "$ROOT/grafana/admin_password" "$(random 32)"
put "$ROOT/grafana/reader_password" "$reader"
put "$ROOT/alertmanager/webhook_token" "$(cat "$ROOT/app/webhook_token")"
put "$ROOT/alertmanager/slack_webhook_url" "${SLACK_WEBHOOK_URL:-}"
put "$ROOT/redis-commander/redis_password" "$redis"
keep "$ROOT/redis-commander/page_password" "$(random 32)"
keep "$ROOT/pgadmin/password" "$(random 32)"
put "$ROOT/metabase/database_password" "$metabase"
put "$ROOT/metabase/reader_password" "$reader"
keep "$ROOT/metabase/encryption_key" "$(random 48)"
# Metabase wants a digit in a password, though no special character.
keep "$ROOT/metabase/admin_password" "$(random 30)7a"

give app 10001
give database 70
give redis 999
give redis-commander 1000
give grafana 472
give alertmanager 65534
give pgadmin 5050
give metabase 2000
echo "Secrets are in place."
