#!/bin/sh
# Ask the part that this container runs whether it is well.
set -eu
part="$(cat "${GUARDIAN_DATA_DIR:-/run/guardian}/part")"
case "$part" in
  web) address="http://127.0.0.1:${GUARDIAN_PORT:-8001}/health/ready" ;;
  worker | beat | consume_stream) address="http://127.0.0.1:${GUARDIAN_METRICS_PORT:-9100}/alive" ;;
  *) exit 0 ;;
esac
exec python - "$address" <<'PYTHON'
import sys
import urllib.request

request = urllib.request.Request(sys.argv[1], headers={"Host": "localhost"})
sys.exit(urllib.request.urlopen(request, timeout=4).status != 200)
PYTHON
