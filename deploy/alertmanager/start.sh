#!/bin/sh
# Without a Slack address use the configuration without Slack's receivers, so that Alertmanager does
# not report failures of something that nobody set up.
set -eu
folder="${ALERTMANAGER_FOLDER:-/etc/alertmanager}"
secrets="${ALERTMANAGER_SECRETS:-/run/secrets/guardian}"
config="$folder/alertmanager.yml"
[ -s "$secrets/slack_webhook_url" ] || config="$folder/alertmanager-without-slack.yml"
exec "${ALERTMANAGER_BIN:-/bin/alertmanager}" --config.file="$config" "$@"
