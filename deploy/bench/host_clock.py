"""The wall clock of a host that the parts live on, to be set while they run.

A small library is loaded before all others into every program that is started with its
environment; see `host_clock.c`. libfaketime cannot do it: the one of Debian 12 lets no Python
sleep while it leaves the monotonic clock alone, and no host's monotonic clock jumps.
"""

import shutil
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("host_clock.c")


class HostClock:
    """A wall clock that is true until it is set; `environment` makes a program live by it."""

    def __init__(self, folder: Path) -> None:
        library = folder / "host_clock.so"
        subprocess.run(
            ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE)], check=True
        )
        self._file = folder / "host_clock"
        self.environment = {"LD_PRELOAD": str(library), "GUARDIAN_HOST_CLOCK": str(self._file)}
        self.set(0)

    @staticmethod
    def can_be_made() -> bool:
        """Tell whether this machine has what it takes: a C compiler."""
        return shutil.which("cc") is not None

    def set(self, seconds: int) -> None:
        """The clock is that much ahead of the truth from now on [s]; below zero it is behind."""
        # Written in place: the programs hold the file open.
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))
