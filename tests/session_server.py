"""Sessions in a child process, for tests: TensorFlow settles its threads once per process, others live elsewhere."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.children import child_environment, private_path
from bench.records import Artifact, SessionInfo, SessionSettings
from bench.runtimes.contract import Array

CHILDREN = Path(__file__).parent / "runtimes" / "children"


class SessionServer:
    """A child process that opens and calls sessions; exceptions of the child are raised here."""

    def __init__(self, folder: Path, prefix: Path | None = None) -> None:
        """By the interpreter of the environment at ``prefix`` (None: that of the tests); ``folder`` takes its path."""
        python = sys.executable if prefix is None else str(prefix / "bin" / "python")
        self.child = subprocess.Popen(
            [python, "-I", str(CHILDREN / "serve_sessions.py"), str(private_path(folder))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(os.environ),
        )

    def ask(self, method: str, *arguments: Any) -> Any:
        assert self.child.stdin
        assert self.child.stdout
        self.child.stdin.write(pickle.dumps((method, arguments)))
        self.child.stdin.flush()
        succeeded, value = pickle.load(self.child.stdout)
        if not succeeded:
            raise value
        return value

    def open(self, name: str, artifact: Artifact, settings: SessionSettings) -> RemoteSession:
        return RemoteSession(self, *self.ask("open", name, artifact, settings))

    def stop(self) -> None:
        self.child.kill()  # TensorFlow takes seconds to leave by itself
        self.child.communicate()


class RemoteSession:
    """A session in a SessionServer."""

    def __init__(self, server: SessionServer, key: int, info: SessionInfo) -> None:
        self.server, self.key, self.info = server, key, info

    def call(self, **feed: Array) -> list[Array]:
        outputs: list[Array] = self.call_all([feed])[0][0]
        return outputs

    def call_all(self, feeds: list[dict[str, Array]]) -> tuple[list[list[Array]], list[dict[str, Array]]]:
        """Outputs of every call, looked at after the last one, and the feeds as they were left."""
        outputs, after = self.server.ask("call", self.key, feeds)
        return outputs, after

    def call_at_once(self, feeds: list[dict[str, Array]]) -> list[list[Array]]:
        """Outputs of as many callers as there are feeds, each in a thread of its own."""
        outputs: list[list[Array]] = self.server.ask("call_at_once", self.key, feeds)
        return outputs

    def close(self) -> None:
        self.server.ask("close", self.key)
