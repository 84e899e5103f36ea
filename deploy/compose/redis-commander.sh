#!/bin/sh
# Hand Redis Commander its passwords from files and start it as its image does.
set -eu
REDIS_PASSWORD="$(cat /run/secrets/guardian/redis_password)"
HTTP_PASSWORD="$(cat /run/secrets/guardian/page_password)"
export REDIS_PASSWORD HTTP_PASSWORD
exec /redis-commander/docker/entrypoint.sh
