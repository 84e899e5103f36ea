import os
import subprocess
import sys
from pathlib import Path

import pytest

from guardian_site.tests.processes import ROOT


@pytest.mark.processes
def test_a_watch_that_could_not_ask_the_database_looks_again(tmp_path: Path) -> None:
    # Without its tables SQLite fails as one that cannot be read does.
    with subprocess.Popen(
        [sys.executable, "manage.py", "watch", "--every", "1"],
        cwd=ROOT,
        env={**os.environ, "GUARDIAN_DATA_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(2)]
        process.terminate()
    assert all("Could not check" in line for line in told)
