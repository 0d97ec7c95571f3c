"""Pairs on equal terms: nothing but a coin and the bundles themselves tells a worker which side it is."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.check.bundle import open_bundle, write_bundle
from bench.check.judging import failure
from bench.check.pairing import PairedCase, pair_cases
from bench.check.records import SIDES, Bundle, GateSettings, Pair, Side
from bench.errors import BenchError
from bench.measure.process import WorkerDiedError
from bench.pairs import PairDriver, SideToRun, as_bundled, choose_cpus
from bench.prepare.arrays import load_arrays, save_arrays
from bench.records import (
    CaseRepetition,
    GroupRepetition,
    OpenRequest,
    OutputsDone,
    OutputsRequest,
    Reply,
    Request,
    SessionInfo,
)
from bench.slots import Slots
from fakes import ScriptedWorker, memory
from gate_fakes import artifact, bundle, bundled, files_of_net, replace

FAKE_INFO = SessionInfo(
    runtime_version="1.0",
    runtime_file="r.py",
    provider="CPUExecutionProvider",
    call_path="run",
    effective_options={},
)
CASE = bundled(info=FAKE_INFO)
WRONG, SLOW, DYING = b"computes another function", b"slow", b"dies"


class Worker(ScriptedWorker):
    """Does what its model's file says: computes the truth, or else; remembers what it was asked."""

    def __init__(self, number: int, log: list[tuple[str, str]], truth: Mapping[str, Any]) -> None:
        super().__init__(f"worker{number}", itertools.repeat(1_000_000), log, None)
        self.requests: list[Request] = []
        self._truth = truth
        self._content = b""

    def ask(self, request: Request, limit_s: float) -> Reply:
        self.requests.append(request)
        if isinstance(request, OpenRequest):
            self._content = Path(request.artifact.path).read_bytes()
            if self._content == DYING:
                raise WorkerDiedError("crashed", "it died of SIGKILL")
            if self._content == SLOW:
                self._latencies = itertools.repeat(1_200_000)
        if isinstance(request, OutputsRequest):
            times = 2 if self._content == WRONG else 1
            outputs = {name: (array * times).astype("float32") for name, array in self._truth.items()}
            return OutputsDone(file=save_arrays(request.path, outputs), memory=memory(400))
        return super().ask(request, limit_s)


class Launcher:
    """Starts such workers, in order."""

    def __init__(self, truth: Mapping[str, Any]) -> None:
        self.workers: list[Worker] = []
        self.prefixes: list[Path | None] = []
        self.log: list[tuple[str, str]] = []
        self._truth = truth

    def start(self, prefix: Path | None) -> Worker:
        self.prefixes.append(prefix)
        self.workers.append(Worker(len(self.workers), self.log, self._truth))
        return self.workers[-1]


class Bench:
    """Two bundles, written, and a driver over them."""

    def __init__(self, tmp_path: Path, baseline: Bundle, head: Bundle, seed: int = 1, **changes: Any) -> None:
        folders = {"baseline": tmp_path / "b", "head": tmp_path / "a folder with ünïcode and a much longer name"}
        bundles: dict[Side, Bundle] = {
            "baseline": write_bundle(folders["baseline"], baseline, {}),
            "head": write_bundle(folders["head"], head, {}),
        }
        self.folder = tmp_path / "run"
        self.folder.mkdir()
        self.launcher = Launcher(load_arrays(bundles["baseline"].models["net"].truth_file))
        self.said: list[str] = []
        pairing = pair_cases(*bundles.values(), metrics=("latency",), delta=0.05, budgets={})
        self.case: PairedCase = pairing.cases[0]
        prefixes = changes.pop("prefixes", {"baseline": Path("/usr"), "head": Path("/usr")})
        self.driver = PairDriver(
            {side: SideToRun(bundle=bundles[side], prefixes={CASE.name: prefixes[side]}) for side in SIDES},
            self.launcher,
            self.folder,
            GateSettings(seed=seed, **changes),
            (1,),
            self.said.append,
        )

    def measure(self, count: int = 1) -> list[Pair]:
        return [self.driver.measure(self.case, number)[0] for number in range(count)]

    def both(self, pair: Pair) -> dict[Side, Worker]:
        """The workers of the last pair."""
        first, second = self.launcher.workers[-2:]
        other: Side = "baseline" if pair.first == "head" else "head"
        return {pair.first: first, other: second}


def side_of(tmp_path: Path, name: str, content: bytes = b"a model", **changes: Any) -> Bundle:
    return bundle(CASE, models={"net": files_of_net(tmp_path / f"cache-{name}", content)}, **changes)


def same(tmp_path: Path, head: bytes = b"a model", **changes: Any) -> Bench:
    return Bench(tmp_path, side_of(tmp_path, "b"), side_of(tmp_path, "h", head), **changes)


# --- what a worker sees -----------------------------------------------------------------------------------------------


def without_slot(request: Request, slot: int) -> bytes:
    """A request as bytes, its slot's number taken out."""
    content = msgspec.json.encode(request)
    return content.replace(f"/slot/{slot}/".encode(), b"/slot/N/").replace(f"outputs-{slot}-".encode(), b"outputs-N-")


def test_workers_of_equal_bundles_are_asked_the_same_but_for_the_number_of_the_slot(tmp_path: Path) -> None:
    bench = same(tmp_path)
    for _ in range(6):
        pair = bench.measure(6)[-1]
        workers = bench.both(pair)
        slots: dict[Side, int] = {"baseline": pair.slot_of_baseline, "head": 1 - pair.slot_of_baseline}
        asked = {side: [without_slot(one, slots[side]) for one in workers[side].requests] for side in SIDES}
        assert asked["baseline"] == asked["head"]
        assert len(asked["head"]) > 10


def test_paths_that_reach_a_worker_are_of_one_length_and_tell_nothing_of_the_bundle(tmp_path: Path) -> None:
    bench = same(tmp_path, SLOW)
    (pair,) = bench.measure()
    opened = [worker.requests[0] for worker in bench.both(pair).values()]
    for one in opened:
        assert isinstance(one, OpenRequest)
        for path in (one.artifact.path, one.pool.path):
            assert Path(path).resolve().is_relative_to(bench.folder.resolve() / "slot")
            assert "name" not in path
    lengths = {
        (len(one.artifact.path), len(one.pool.path), len(os.path.realpath(one.artifact.path)))
        for one in opened
        if isinstance(one, OpenRequest)
    }
    assert len(lengths) == 1


def test_equal_contents_go_with_the_slot_and_not_with_the_side(tmp_path: Path) -> None:
    bench = same(tmp_path)
    inodes: dict[int, set[int]] = {0: set(), 1: set()}
    coins = set()
    for pair in bench.measure(8):
        coins.add(pair.slot_of_baseline)
    for worker in bench.launcher.workers:
        request = worker.requests[0]
        assert isinstance(request, OpenRequest)
        path = Path(request.artifact.path)
        inodes[int(path.parts[path.parts.index("slot") + 1])].add(path.stat().st_ino)
    assert coins == {0, 1}
    assert [len(found) for found in inodes.values()] == [1, 1]
    assert inodes[0] != inodes[1]


def test_both_are_held_to_the_same_cpus_and_started_by_equal_paths(tmp_path: Path) -> None:
    for name in ("short", "a much longer environment"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyvenv.cfg").write_text("")
    bench = same(tmp_path, prefixes={"baseline": tmp_path / "short", "head": tmp_path / "a much longer environment"})
    bench.measure(4)
    assert {len(str(prefix)) for prefix in bench.launcher.prefixes} == {len(str(bench.folder / "slot/0/env"))}
    for worker, prefix in zip(bench.launcher.workers, bench.launcher.prefixes, strict=True):
        request = worker.requests[0]
        assert isinstance(request, OpenRequest)
        assert request.cpus == (1,)
        assert request.prefix == str(prefix)
    assert (bench.folder / "slot/0/env").is_symlink()


def test_what_is_said_between_turns_names_no_side(tmp_path: Path) -> None:
    bench = same(tmp_path)
    bench.measure(3)
    assert not [text for text in bench.said if "baseline" in text or "head" in text]
    assert {text for text in bench.said if text.startswith("starting")} == {"starting slot 0", "starting slot 1"}


def test_either_sides_outputs_cost_the_same_judging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Truths that differ: head's outputs must be judged by both, so the baseline's are as well."""
    calls: list[str] = []

    def make_checker(prepared: Any, tolerance: Any, budgets: Any) -> Any:
        def check(side: str, file: Any) -> list[Any]:
            calls.append(side)
            return []

        return check

    monkeypatch.setattr("bench.output_judge.make_checker", make_checker)
    head = side_of(tmp_path, "h")
    net = head.models["net"]
    truth = {name: array + 1e-9 for name, array in load_arrays(net.truth_file).items()}
    other = replace(net, truth_file=save_arrays(tmp_path / "t.npz", truth))
    Bench(tmp_path, side_of(tmp_path, "b"), replace(head, models={"net": other})).measure()
    assert Counter(calls) == {"baseline": 4, "head": 4}


# --- coins ------------------------------------------------------------------------------------------------------------


def coins(bench: Bench, count: int) -> list[tuple[int, int, int]]:
    """Per pair: baseline's slot, whether head started first, whether head had the first turn of the first round."""
    found = []
    for number in range(count):
        pair, done = bench.driver.measure(bench.case, number)
        found.append((pair.slot_of_baseline, int(pair.first == "head"), first_turn(done, 0)))
    return found


def first_turn(done: GroupRepetition, number: int) -> int:
    head = next(one for one in done.cases if one.case_id == "head")
    return int(next(t for t in head.turns if t.kind == "turn" and t.round == number).order == 0)


def test_slot_launch_order_and_round_order_are_fair_and_independent(tmp_path: Path) -> None:
    found = coins(same(tmp_path, min_rounds=1), 240)
    for column in range(3):
        assert 90 <= sum(one[column] for one in found) <= 150  # 120 +- 3.9 sd
    for a, b in itertools.combinations(range(3), 2):
        together = sum(one[a] == one[b] for one in found)
        assert 90 <= together <= 150
    assert len(set(found)) == 8


def test_the_order_of_rounds_is_tossed_anew_for_each(tmp_path: Path) -> None:
    bench = same(tmp_path, min_rounds=60)
    done = bench.driver.measure(bench.case, 0)[1]
    orders = [first_turn(done, number) for number in range(60)]
    assert 15 <= sum(orders) <= 45
    assert done.plan is not None
    assert done.plan.rounds == 60


def test_another_seed_tosses_other_coins_and_the_same_the_same(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    (tmp_path / "3").mkdir()
    first, again, other = (
        coins(same(tmp_path / place, seed=seed, min_rounds=1), 12) for place, seed in (("1", 5), ("2", 5), ("3", 6))
    )
    assert first == again
    assert first != other


# --- verdicts and values ----------------------------------------------------------------------------------------------


def test_a_slower_head_is_the_same_slower_in_any_slot_and_order(tmp_path: Path) -> None:
    for pair in same(tmp_path, SLOW).measure(8):
        assert pair.latency == pytest.approx(0.1823, abs=1e-4)
        assert (pair.baseline.best_ns, pair.head.best_ns) == (1_000_000, 1_200_000)
        assert (pair.baseline.verdict, pair.head.verdict, pair.head.against_baseline) == ("agrees",) * 3


def test_all_pairs_of_a_case_have_the_rounds_of_the_first(tmp_path: Path) -> None:
    found = same(tmp_path).measure(3)
    assert len({(pair.rounds, pair.calls) for pair in found}) == 1


def test_a_head_that_computes_another_function_disagrees(tmp_path: Path) -> None:
    (pair,) = same(tmp_path, WRONG).measure()
    assert (pair.head.verdict, pair.head.against_baseline) == ("disagrees", "disagrees")
    assert pair.baseline.verdict == "agrees"
    assert pair.head.disagreement.startswith("y: ")


def test_head_is_judged_by_the_baselines_truth_too(tmp_path: Path) -> None:
    """Its own truth was made of a wrong model and agrees with it."""
    head = side_of(tmp_path, "h", WRONG)
    net = head.models["net"]
    doubled = {name: 2 * array for name, array in load_arrays(net.truth_file).items()}
    own = replace(net, truth_file=save_arrays(tmp_path / "t.npz", doubled))
    (pair,) = Bench(tmp_path, side_of(tmp_path, "b"), replace(head, models={"net": own})).measure()
    assert (pair.head.verdict, pair.head.against_baseline) == ("agrees", "disagrees")


def test_a_side_that_dies_is_in_the_pair_with_its_reason(tmp_path: Path) -> None:
    bench = same(tmp_path, DYING)
    (pair,) = bench.measure()
    assert (pair.head.status, pair.head.reason) == ("crashed", "it died of SIGKILL")
    assert (pair.baseline.status, pair.latency) == ("ok", None)
    assert all(worker.closed for worker in bench.launcher.workers if worker.requests[-1:] != [])


@pytest.mark.parametrize(("broken", "answer"), [("head", "FAILED"), ("baseline", "NOT COMPARABLE")])
def test_a_side_that_cannot_even_be_asked_for_is_a_verdict_and_not_the_end(
    tmp_path: Path, broken: Side, answer: str
) -> None:
    sides = {side: side_of(tmp_path, side) for side in SIDES}
    net = sides[broken].models["net"]
    fixed = replace(net.artifacts["onnx"], inputs=(replace(net.artifacts["onnx"].inputs[0], shape=(4, 4)),))
    sides[broken] = replace(sides[broken], models={"net": replace(net, artifacts={"onnx": fixed})})
    bench = Bench(tmp_path, sides["baseline"], sides["head"])
    found = bench.measure(2)
    assert bench.launcher.workers == []
    judged = failure(CASE.name, "latency", 0.05, found)
    assert judged is not None
    assert judged.answer == answer
    assert "the file's batch is fixed at 4" in judged.reason


# --- as it was bundled ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"provider": "CUDAExecutionProvider"}, "provider CUDAExecutionProvider was bundled, CPUExecutionProvider ran"),
        ({"call_path": "predict"}, "call path predict was bundled, run ran"),
        ({"runtime_version": "0.9"}, "version 0.9 was bundled, 1.0 ran"),
        ({"node_share": 0.5}, "node share 0.5 was bundled, None ran"),
        ({}, ""),
    ],
)
def test_a_session_that_is_not_the_bundled_one_has_failed(change: dict[str, Any], reason: str) -> None:
    opened = ScriptedWorker("w", iter(()), [], None)._opened()
    one = CaseRepetition(case_id="head", repetition=0, status="ok", opened=opened, complete=True)
    checked = as_bundled(one, replace(CASE, info=replace(FAKE_INFO, **change)))
    assert checked.reason == reason
    assert (checked.status, checked.complete) == (("failed", False) if reason else ("ok", True))


def test_a_side_that_died_keeps_its_own_reason() -> None:
    gone = CaseRepetition(case_id="head", repetition=0, status="oom", reason="no memory")
    assert as_bundled(gone, CASE) is gone


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)


def test_bundles_may_be_read_only_and_may_go_away_once_they_are_in_their_slots(read_only: Path) -> None:
    bench = same(read_only)
    for path in read_only.glob("*/models/**/*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    bench.measure(6)
    for name in ("b", "a folder with ünïcode and a much longer name"):
        for path in (read_only / name).rglob("*"):
            path.chmod(0o755)
        shutil.rmtree(read_only / name)
    assert bench.measure(1)[0].latency == 0.0


def test_external_data_is_copied_beside_its_model(tmp_path: Path) -> None:
    net = files_of_net(tmp_path / "cache", b"graph", data=b"weights")
    placed = Slots(tmp_path / "run").place_artifact(1, net.artifacts["onnx"])
    assert Path(placed.path).name == "model.onnx"
    assert Path(placed.path).with_name("model.data").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("name", "beside", "called"), [("n.onnx", [], "model.onnx"), ("n.onnx", ["model.onnx"], "n.onnx")]
)
def test_a_models_file_is_called_alike_unless_another_has_that_name(
    tmp_path: Path, name: str, beside: list[str], called: str
) -> None:
    for one in (name, *beside):
        (tmp_path / one).write_bytes(one.encode())
    placed = Slots(tmp_path / "run" / "x").place_artifact(0, artifact(str(tmp_path / name), "d" * 64))
    assert Path(placed.path).name == called
    assert Path(placed.path).read_bytes() == name.encode()


def test_a_folder_of_a_model_is_placed_whole(tmp_path: Path) -> None:
    (tmp_path / "saved" / "variables").mkdir(parents=True)
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "saved" / "variables" / "v").write_bytes(b"v")
    placed = Path(Slots(tmp_path / "run").place_artifact(0, artifact(str(tmp_path / "saved"), "e" * 64)).path)
    assert (placed / "variables" / "v").read_bytes() == b"v"


def test_a_place_without_room_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.slots.shutil.copyfile", full)
    net = files_of_net(tmp_path / "cache")
    with pytest.raises(BenchError, match=r"copying a bundle's files to .*: No space left on device; TMPDIR says"):
        Slots(tmp_path / "run").place_artifact(0, net.artifacts["onnx"])
    assert [path.name for path in (tmp_path / "run" / "slot" / "0").iterdir()] == []


def test_a_prefix_that_is_no_virtual_environment_stays_where_it_is(tmp_path: Path) -> None:
    assert Slots(tmp_path).place_environment(0, Path("/usr")) == Path("/usr")


def test_the_last_cpus_are_taken_and_all_where_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 2, 3, 7})
    assert choose_cpus(1) == (7,)
    assert choose_cpus(2) == (3, 7)
    assert choose_cpus(4) == choose_cpus(9) == (0, 2, 3, 7)


def test_an_opened_bundle_is_what_was_written(tmp_path: Path) -> None:
    same(tmp_path)
    assert open_bundle(tmp_path / "b").cases == (CASE,)
