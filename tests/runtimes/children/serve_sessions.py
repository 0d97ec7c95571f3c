"""Opens and calls sessions for a test, in a process of its own: TensorFlow settles its threads once per process.

Started as a script, by the interpreter of any environment, with a folder that holds only ``bench``. Reads pickled
(method, arguments), answers pickled (succeeded, value or exception).
"""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])

import os
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.errors import BenchError
from bench.records import Artifact, SessionInfo, SessionSettings
from bench.runtimes import loading
from bench.runtimes.contract import Array, Session


class Server:
    def __init__(self) -> None:
        self.sessions: dict[int, Session] = {}

    def open(self, name: str, artifact: Artifact, settings: SessionSettings) -> tuple[int, SessionInfo]:
        session = loading.open_session(name, artifact, settings)
        self.sessions[len(self.sessions)] = session
        return len(self.sessions) - 1, session.info

    def call(self, key: int, feeds: list[Mapping[str, Array]]) -> tuple[list[list[Array]], list[Mapping[str, Array]]]:
        """Outputs of one call a feed, looked at only after the last call; and the feeds as they are then."""
        session = self.sessions[key]
        return [list(session.fetch(session.call(session.place(feed)))) for feed in feeds], feeds

    def call_at_once(self, key: int, feeds: list[Mapping[str, Array]]) -> list[list[Array]]:
        """The outputs of one caller a feed, all calling at once, several times."""
        session = self.sessions[key]
        calls = [session.call, *(session.another() for _ in feeds[1:])]

        def several(call: Any, feed: Any) -> list[Array]:
            placed = session.place(feed)
            for _ in range(20):
                outputs = session.fetch(call(placed))
            return list(outputs)

        with ThreadPoolExecutor(len(feeds)) as pool:
            return list(pool.map(several, calls, feeds))

    def profile(self, name: str, artifact: Artifact, settings: SessionSettings, feed: Mapping[str, Array]) -> Any:
        return loading.profile(name, artifact, settings, [feed], 2)

    def operators(self, name: str, artifact: Artifact, settings: SessionSettings, feed: Mapping[str, Array]) -> Any:
        return loading.operators(name, artifact, settings, [feed], 4)

    def traces(self, key: int) -> int:
        session: Any = self.sessions[key]
        return int(session.traces())

    def close(self, key: int) -> None:
        self.sessions[key].close()

    def task_count(self) -> int:
        return len(os.listdir("/proc/self/task"))


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server = Server()
    while True:
        try:
            method, arguments = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(_answer(getattr(server, method), arguments), answers)
        answers.flush()


def _answer(method: Any, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, method(*arguments)
    except BenchError as error:
        return False, error
    except Exception as error:
        return False, RuntimeError(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
