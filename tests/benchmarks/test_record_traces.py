import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks import record_traces
from benchmarks.record_traces import record
from benchmarks.trace_file import SERIES, PairTrace, Solo, Trace, load_trace, save_trace

REAL_FACTS = record_traces._facts
STEPS = (("solo", "base"), ("solo", "+5 %"), ("pair", "base"))


class ScriptedRecorder:
    """Measures at once; stops by Ctrl-C after so many steps."""

    baseline: Any = None

    def __init__(self, stop_after: int | None = None) -> None:
        self.numbers: list[int] = []
        self.steps = 0
        self._stop_after = stop_after

    def solo(self, series: str, load: str, stretch: int, _number: int) -> Solo:
        self._step()
        return Solo(series, load, stretch, float(self.steps), 0.5, 1.0, np.full(60, 14_000_000))

    def pair(self, series: str, load: str, stretch: int, number: int) -> PairTrace:
        self._step()
        self.numbers.append(number)
        rounds = np.full((10, 4), 14_000_000)
        return PairTrace(series, load, stretch, float(self.steps), 2.0, rounds, rounds, np.zeros(10, bool))

    def _step(self) -> None:
        if self.steps == self._stop_after:
            raise KeyboardInterrupt
        self.steps += 1


@pytest.fixture(autouse=True)
def _no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_traces, "burst_load", lambda _seed: nullcontext())
    monkeypatch.setattr(record_traces, "_SETTLE_S", 0)
    monkeypatch.setattr(record_traces, "_facts", lambda _bundle, steps: facts(len(steps)))


def facts(steps: int, date: str = "today") -> dict[str, Any]:
    return {"model": "net", "runtime": "fake", "threads": 1, "steps_per_stretch": steps, "recorded": [date]}


def record_to(path: Path, recorder: ScriptedRecorder, stretches: int, steps: Any = STEPS) -> None:
    record(path, recorder, stretches, steps)  # type: ignore[arg-type]


def test_stretches_are_by_turns_quiet_and_beside_bursts(tmp_path: Path) -> None:
    record_to(tmp_path / "net.npz", ScriptedRecorder(), 3)
    trace = load_trace(tmp_path / "net.npz")
    assert [(one.stretch, one.load, one.series) for one in trace.solos] == [
        (0, "quiet", "base"), (0, "quiet", "+5 %"), (1, "burst", "base"), (1, "burst", "+5 %"),
        (2, "quiet", "base"), (2, "quiet", "+5 %"),
    ]  # fmt: skip
    assert [one.load for one in trace.pairs] == ["quiet", "burst", "quiet"]


def test_a_stopped_recording_goes_on_with_the_stretch_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    with pytest.raises(KeyboardInterrupt):
        record_to(path, ScriptedRecorder(stop_after=5), 3)
    assert len(load_trace(path).solos) == 4
    later = ScriptedRecorder()
    record_to(path, later, 3)
    trace = load_trace(path)
    assert (later.steps, len(trace.solos), len(trace.pairs)) == (6, 6, 3)
    assert [one.stretch for one in trace.pairs] == [0, 1, 2]
    assert later.numbers == [5, 8]  # no pair has another's coins
    assert trace.facts["recorded"] == ["today", "today"]


def test_a_finished_recording_measures_nothing_more(tmp_path: Path) -> None:
    record_to(tmp_path / "net.npz", ScriptedRecorder(), 2)
    again = ScriptedRecorder()
    record_to(tmp_path / "net.npz", again, 2)
    assert again.steps == 0


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    record_to(tmp_path / "net.npz", ScriptedRecorder(), 1)
    with pytest.raises(SystemExit, match="its steps_per_stretch differ; give another --file"):
        record_to(tmp_path / "net.npz", ScriptedRecorder(), 1, STEPS[:2])


def test_facts_are_the_same_after_they_were_in_a_file(tmp_path: Path) -> None:
    info = SimpleNamespace(runtime_version="1.2")
    case = SimpleNamespace(info=info, case=SimpleNamespace(runtime=SimpleNamespace(name="fake"), threads=2))
    found = REAL_FACTS(SimpleNamespace(origin="net", cases=[case]), STEPS)  # type: ignore[arg-type]
    save_trace(tmp_path / "net.npz", Trace(found))
    assert load_trace(tmp_path / "net.npz").facts == found
    assert (found["runtime"], found["threads"], found["steps_per_stretch"]) == ("fake", 2, 3)


def test_every_series_is_recorded_alone_and_in_pairs() -> None:
    for kind in ("solo", "pair"):
        assert {series for one, series in record_traces.STRETCH if one == kind} == set(SERIES)
