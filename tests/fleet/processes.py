"""Programs that a fleet test starts on free ports, and conditions that it waits for."""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("JIKJI_PROGRAM", str(ROOT / "build/release/jikji"))
DEADLINE_S = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str, body: object = None, timeout: float = DEADLINE_S) -> tuple[int, bytes, dict]:
    """(status, body, headers); status 0 where nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), {}
    except OSError:
        return 0, b"", {}


def until(what: str, holds) -> None:
    """Asks until it holds: there is nothing to wait on but the answer itself."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"not within {DEADLINE_S} s: {what}")
        time.sleep(0.02)  # paces the question; nothing is taken to have happened by it


class Jikji:
    """`jikji COMMAND` that serves, on a free port."""

    def __init__(self, command: str, *flags: str):
        # The log is read when it fails, never piped: a full pipe would stop it.
        self.process = subprocess.Popen(
            [PROGRAM, command, "--port", "0", *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, "LC_ALL": "C"})
        for line in self.process.stdout:
            if match := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = match[0]
                return
        raise SystemExit(f"jikji {command} {' '.join(flags)} ended with {self.process.wait()}")

    @property
    def endpoint(self) -> str:
        return self.url.removeprefix("http://")

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(DEADLINE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Etcd:
    """A real etcd of one member; restarts on its data, or on none."""

    def __init__(self, folder: str):
        self.folder = folder
        self.port, self.peer_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        peer = f"http://127.0.0.1:{self.peer_port}"
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", self.folder, "--listen-client-urls", self.url,
             "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
             # Leases may then be as short as two seconds.
             "--heartbeat-interval", "100", "--election-timeout", "1000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("etcd is healthy", lambda: get(self.url + "/health", timeout=1)[0] == 200)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
