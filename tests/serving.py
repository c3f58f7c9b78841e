"""Services for the tests: real processes, in folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from duly.hosts.store import open_store
from duly.hosts.store.records import Out

HERE = Path(__file__).parent
DESK = HERE / "cases/suites/desk"
PROMPT = HERE / "cases/service/prompt"
PATIENCE = 30.0
"""Seconds to wait for what will come; only a test that fails waits so long."""


def configured(folder: Path, policy: Path = DESK, **spec: Any) -> Path:
    """A configuration in a folder: that policy, a SQLite file, and what else is said."""
    file = folder / "duly.config.yaml"
    spec = {
        **({} if "releases" in spec else {"policy": str(policy)}),
        "store": {"url": "sqlite:duly.db"},
        **spec,
    }
    # JSON is YAML.
    file.write_text(json.dumps({"apiVersion": "duly/v1", "kind": "Config", "spec": spec}), encoding="utf-8")
    return file


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process."""
    return {**os.environ, "DULY_CACHE": str(folder.parent / "cache"), **more}


class Running:
    """A `duly run` in a folder; what it says is collected as it comes."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        given: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.lines: list[str] = []
        self._more = threading.Condition()
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "duly_cli.main", "run", *words], cwd=folder,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, stderr=subprocess.PIPE,
            env=surroundings(folder, **(environment or {})),
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if given is not None and self.process.stdin is not None:
            self.process.stdin.write(given)
            self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                self.lines.append(line.decode().rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ended()

    @property
    def told(self) -> str:
        """All that it has said."""
        return "\n".join(self.lines)

    def says(self, text: str, times: int = 1) -> str:
        """The line with this text in it, as soon as it is there for the so-manieth time."""
        with self._more:
            if not self._more.wait_for(
                lambda: len(self._with(text)) >= times or not self._reader.is_alive(), PATIENCE
            ):
                raise TimeoutError(f"not said: {text}\n{self.told}")
            found = self._with(text)
        assert len(found) >= times, f"ended without saying: {text}\n{self.told}"
        return found[times - 1]

    def _with(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]

    def ended(self, within: float = PATIENCE) -> int:
        """The exit code, as soon as it has ended by itself."""
        code = self.process.wait(within)
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.ended()


def until(holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `holds` gives, as soon as that is something."""
    by = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > by:
            raise TimeoutError("it did not come about")
        time.sleep(0.02)
    return found


def outbox(folder: Path, url: str = "") -> list[dict[str, Any]]:
    """The actions that a store holds, in the order given out; none where there is no store yet."""
    if not url and not (folder / "duly.db").exists():
        return []
    store = open_store(url or f"sqlite:{folder / 'duly.db'}", guest=True)
    try:
        found: list[Out] = []
        while more := store.outbox(after=(found[-1].shard, found[-1].seq) if found else (0, 0)):
            found += more
    finally:
        store.close()
    return [json.loads(each.body) for each in found]


def counted(folder: Path, url: str = "") -> Mapping[str, int]:
    """How much a store holds; nothing where there is none yet."""
    if not url and not (folder / "duly.db").exists():
        return Counter()
    store = open_store(url or f"sqlite:{folder / 'duly.db'}", guest=True)
    try:
        return store.counts()
    finally:
        store.close()


def simulated(folder: Path, policy: Path, events: Iterable[bytes], *words: str) -> list[dict[str, Any]]:
    """What `duly simulate` makes of events."""
    done = subprocess.run(
        [sys.executable, "-m", "duly_cli.main", "simulate", str(policy), "-", *words], cwd=folder,
        input=b"\n".join(events), capture_output=True, check=False, env=surroundings(folder),
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return [each for each in map(json.loads, done.stdout.splitlines()) if "error" not in each]
