import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks.trace_file import FOLDER, PairTrace, Solo, Trace, load_trace, save_trace

FACTS = {"model": "net", "runtime": "fake", "threads": 1, "recorded": ["2026-01-01T00:00:00+00:00"]}


def some_trace() -> Trace:
    rounds = np.arange(12).reshape(3, 4) * 100 + 14_000_000
    more = np.arange(10).reshape(2, 5) * 100 + 1_000_000
    return Trace(
        facts=FACTS,
        solos=(
            Solo("base", "quiet", 0, 1.8e9 + 0.25, 0.5, 1.5, np.array([14_000_000, 14_000_100])),
            Solo("+5 % nodes", "burst", 1, 1.8e9 + 2, 0.25, 1.0, np.array([2_000_000_000_000 // 100, 100, 300])),
        ),
        pairs=(
            PairTrace("base", "burst", 1, 1.8e9 + 4, 2.0, rounds, rounds + 200, np.array([True, False, True])),
            PairTrace("+10 %", "quiet", 2, 1.8e9 + 6, 2.5, more, more * 2, np.array([False, False])),
        ),
    )


def same(a: Trace, b: Trace) -> bool:
    return a.facts == b.facts and repr(a.solos) == repr(b.solos) and repr(a.pairs) == repr(b.pairs)


def test_a_trace_comes_back_from_its_file(tmp_path: Path) -> None:
    trace = some_trace()
    save_trace(tmp_path / "new" / "net.npz", trace)
    assert same(load_trace(tmp_path / "new" / "net.npz"), trace)
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["net.json", "net.npz"]


def test_an_empty_trace_comes_back_too(tmp_path: Path) -> None:
    save_trace(tmp_path / "net.npz", Trace(facts=FACTS))
    assert same(load_trace(tmp_path / "net.npz"), Trace(facts=FACTS))


def test_durations_are_kept_to_a_tenth_of_a_microsecond(tmp_path: Path) -> None:
    solo = Solo("base", "quiet", 0, 0.0, 0.0, 0.0, np.array([14_000_049, 14_000_051]))
    save_trace(tmp_path / "net.npz", Trace(facts=FACTS, solos=(solo,)))
    assert load_trace(tmp_path / "net.npz").solos[0].calls.tolist() == [14_000_000, 14_000_100]


def test_another_schema_is_refused(tmp_path: Path) -> None:
    save_trace(tmp_path / "net.npz", some_trace())
    facts = json.loads((tmp_path / "net.json").read_text())
    (tmp_path / "net.json").write_text(json.dumps(facts | {"schema": 99}))
    with pytest.raises(SystemExit, match="another schema than 1"):
        load_trace(tmp_path / "net.npz")


def test_the_committed_traces_are_small_and_name_no_host() -> None:
    files = sorted(FOLDER.iterdir())
    assert sum(file.stat().st_size for file in files) < 1_500_000
    for path in FOLDER.glob("*.npz"):
        trace = load_trace(path)
        assert trace.solos
        assert trace.pairs
        assert not {"host", "hostname", "node", "user", "path"} & (trace.facts.keys() | trace.facts["machine"].keys())
