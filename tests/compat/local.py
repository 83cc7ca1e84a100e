"""`fleetwright local`, started and ended by the tests."""

import json
import os
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).parent
READY_SECONDS = 60


class Local:
    """A running `fleetwright local`; `aws` and `api` are where it listens."""

    def __init__(self, *options: str) -> None:
        binary = os.environ.get("FLEETWRIGHT")
        if not binary:
            raise RuntimeError(
                "the environment variable FLEETWRIGHT names the binary; `cargo xtask compat` sets it"
            )
        self._process = subprocess.Popen(
            [binary, "local", "--format", "json", "--aws-port", "0", "--api-port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = self._first_line()
        self.aws: str = ready["aws"]
        self.api: str = ready["api"]

    def _first_line(self) -> dict[str, str]:
        assert self._process.stdout is not None
        watchdog = threading.Timer(READY_SECONDS, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise RuntimeError(
                f"fleetwright local ended with {self._process.wait()} before it said where it listens"
            )
        return json.loads(line)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def for_stories() -> Local:
    """Nodes that always do the same, and runbooks; 200 seconds of theirs pass in one of ours."""
    return Local(
        "--fleet", str(HERE / "fleet.yaml"), "--documents", str(HERE / "documents"), "--speed", "200"
    )
