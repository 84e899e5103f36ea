#!/bin/sh
# Start one part of Guardian: web, worker QUEUES, beat, watch, migrate, or a manage.py command such
# as consume_stream.
set -eu

GUARDIAN_DATA_DIR="${GUARDIAN_DATA_DIR:-/run/guardian}"
STATIC="${GUARDIAN_STATIC:-/srv/static}"
part="${1:-web}"
[ $# -gt 0 ] && shift

mkdir -p "$GUARDIAN_DATA_DIR"
# Counters begin at zero: those of processes of an earlier start must not be added to them.
if [ -n "${PROMETHEUS_MULTIPROC_DIR:-}" ]; then
  rm -rf "$PROMETHEUS_MULTIPROC_DIR"
  mkdir -p "$PROMETHEUS_MULTIPROC_DIR"
fi
# Static files are made once, in the image; the folder for changing files is a tmpfs.
if [ -d "$STATIC" ] && [ ! -e "$GUARDIAN_DATA_DIR/static" ]; then
  ln -s "$STATIC" "$GUARDIAN_DATA_DIR/static"
fi
echo "$part" > "$GUARDIAN_DATA_DIR/part"

case "$part" in
  web)
    # The backpressure is how many connections one process takes, idle ones included.
    # One connection carries one request at a time, so that a slow one can be ended.
    exec granian --interface wsgi --http 1 --no-ws --no-log \
      --host 0.0.0.0 --port "${GUARDIAN_PORT:-8001}" \
      --workers "${GUARDIAN_WEB_WORKERS:-2}" --blocking-threads "${GUARDIAN_WEB_THREADS:-32}" \
      --backpressure 512 --respawn-failed-workers --workers-kill-timeout 25 \
      guardian_site.wsgi:application
    ;;
  worker)
    queues="${1:?Name the queues: worker notify,detect}"
    exec celery -A guardian_site worker --pool prefork \
      --concurrency "${GUARDIAN_WORKER_CONCURRENCY:-2}" --queues "$queues" \
      --hostname "$(echo "$queues" | tr ',' '-')@%h" \
      --without-gossip --without-mingle
    ;;
  beat)
    exec celery -A guardian_site beat \
      --schedule "$GUARDIAN_DATA_DIR/beat-schedule" --pidfile ""
    ;;
  watch)
    # Tells when any stage stands still, even workers and beat, neither of which it needs.
    exec python manage.py watch "$@"
    ;;
  migrate)
    # A column that a view shows cannot be changed, so the views are dropped before migrations.
    python -m deploy.timescaledb.reporting drop
    python manage.py migrate --no-input
    exec python -m deploy.timescaledb.reporting create
    ;;
  *)
    exec python manage.py "$part" "$@"
    ;;
esac
