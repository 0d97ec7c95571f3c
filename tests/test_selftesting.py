"""The self-test from plan to file, with gates that answer by a rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bench
from bench import selftesting
from bench.check.records import GateResult, GateSettings
from bench.check.selftest import Load
from bench.errors import Terminated
from bench.progress import Silent
from bench.selftesting import Asked, Bundles, identify, run_trials, sources_digest
from gate_fakes import MACHINE, bundle, replace
from selftest_fakes import FakeBundles, FakeGate, empty_file, honest, key, result, trial


def run(
    folder: Path, gate: FakeGate, bundles: Bundles | None = None, *, aa: int = 4, load: Load = "quiet"
) -> int | None:
    asked = Asked(aa=aa, plants=2, share=0.05, load=load, seed=0)
    return run_trials(asked, GateSettings(), bundles or FakeBundles(), gate, empty_file(folder), Silent())


def test_every_trial_is_a_gate_with_a_seed_of_its_own_and_is_kept(tmp_path: Path) -> None:
    gate = FakeGate(honest)
    assert run(tmp_path, gate) is None
    kept = empty_file(tmp_path)
    assert [one.key.seed for one in kept.trials] == gate.seeds
    assert len(set(gate.seeds)) == 3 + 4 + 2 * 2
    assert [one.kind for one in kept.plants] == ["nodes", "busy"]


@pytest.mark.parametrize("raises", [None, KeyboardInterrupt])
def test_after_a_stop_it_goes_on_with_the_same_plants(tmp_path: Path, raises: type[BaseException] | None) -> None:
    assert run(tmp_path, FakeGate(honest, stops_at=6, raises=raises)) == 130
    assert len(empty_file(tmp_path).trials) == 6
    rest, bundles = FakeGate(honest), FakeBundles()
    assert run(tmp_path, rest, bundles) is None
    assert len(rest.seeds) == 11 - 6
    assert (bundles.planted, bundles.reused) == ([], ["nodes", "busy"])
    again = FakeGate(honest)
    assert run(tmp_path, again) is None
    assert again.seeds == []
    assert run(tmp_path, again, aa=6) is None
    assert len(again.seeds) == 2


def test_the_file_tells_nobodys_home(tmp_path: Path) -> None:
    def gate(*_: object) -> GateResult:
        made = result("FAILED")
        return replace(made, judged=tuple(replace(one, reason="no /home/jane/net.onnx") for one in made.judged))

    asked = Asked(aa=1, plants=0, share=0.05, load="quiet", seed=0)
    run_trials(asked, GateSettings(), FakeBundles(), gate, empty_file(tmp_path), Silent())
    assert {one.reason for one in empty_file(tmp_path).trials} == {"no ~/net.onnx"}


def test_what_measures_and_decides_is_part_of_the_identity() -> None:
    folder = Path(bench.__file__).parent
    assert {"check/ratio_verdict.py", "slots.py"} <= set(selftesting._MATTERS)
    assert all((folder / name).is_file() for name in selftesting._MATTERS)


def test_a_sigterm_is_told_from_a_ctrl_c(tmp_path: Path) -> None:
    assert run(tmp_path, FakeGate(honest, stops_at=0, raises=Terminated)) == 143


def test_nothing_is_planted_that_is_not_tried(tmp_path: Path) -> None:
    bundles = FakeBundles()
    asked = Asked(aa=1, plants=0, share=0.05, load="quiet", seed=0)
    assert run_trials(asked, GateSettings(), bundles, FakeGate(honest), empty_file(tmp_path), Silent()) is None
    assert bundles.planted == []


def test_the_burst_load_is_there_while_trials_run_and_gone_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    @contextmanager
    def load(_seed: int) -> Iterator[str]:
        events.append("begins")
        try:
            yield "a load"
        finally:
            events.append("ends")

    monkeypatch.setattr(selftesting, "burst_load", load)
    assert run(tmp_path / "a", FakeGate(honest), load="burst") is None
    assert {one.key.load for one in empty_file(tmp_path / "a").trials} == {"burst"}
    assert run(tmp_path / "b", FakeGate(honest, stops_at=2, raises=KeyboardInterrupt), load="burst") == 130
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "c", FakeGate(honest, stops_at=2, raises=ZeroDivisionError), load="burst")
    assert events == ["begins", "ends"] * 3
    assert run(tmp_path / "a", FakeGate(honest), load="burst") is None  # nothing left to try: no load
    assert run(tmp_path / "d", FakeGate(honest)) is None
    assert events == ["begins", "ends"] * 3


def test_an_identity_names_model_runtime_machine_and_rule() -> None:
    found = identify(bundle(), GateSettings(delta=0.1))
    assert (found.model, found.model_digest) == ("net", "digest of the file")
    assert (found.runtime, found.runtime_version, found.threads) == ("onnxruntime-cpu", "1.32.0", 1)
    assert (found.delta, found.alpha, found.beta, found.max_pairs) == (0.1, 0.01, 0.05, 16)
    assert (found.cpu, found.cpus) == (MACHINE.cpu, 2)


def test_comments_and_docstrings_do_not_make_other_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "__init__.py"))
    digests = []
    for text in (
        "def f():\n    return 1\n",
        '"""A."""\ndef f():\n    """B."""\n    return 1  # C\n',
        "def f():\n    return 2\n",
    ):
        (tmp_path / "one.py").write_text(text)
        digests.append(sources_digest(["one.py"]))
    assert digests[0] == digests[1] != digests[2]


def test_trials_of_another_share_are_other_trials(tmp_path: Path) -> None:
    assert run(tmp_path, FakeGate(honest)) is None
    kept = empty_file(tmp_path)
    assert trial(key("nodes")).key.share == 0.05
    other = Asked(aa=4, plants=2, share=0.1, load="quiet", seed=0)
    gate = FakeGate(honest)
    run_trials(other, GateSettings(), FakeBundles(), gate, kept, Silent())
    assert len(gate.seeds) == 4
