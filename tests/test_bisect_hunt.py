"""A bisection against a runtime with a fault at any place: what is named, what it took, what is cut out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.analysis.bisection import most_runs
from bench.analysis.distance import Array
from bench.bisect_hunt import Hunt
from bench.bisect_probes import badness
from bench.bisect_text import verdict_sentence
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.tensor_proto import parse_tensor
from bench.progress import Silent
from bench.records import OutputCheck
from bisect_fakes import ITEMS, FakeRunner, bisection, chain_of, steps_of

# stem, a branch of two, a branch of one, their sum, a head
BRANCHES = [(), (0,), (1,), (0,), (2, 3), (4,)]


@pytest.mark.parametrize("faulty", range(6))
def test_a_fault_in_any_branch_is_named_with_what_is_right_before(tmp_path: Path, faulty: int) -> None:
    found = bisection(tmp_path, steps_of(BRANCHES), faulty).run(every_layer=False, keep=None)
    assert (found.verdict, found.layer, found.kind, found.tensor) == ("found", f"s{faulty}", "Dense", f"t{faulty}")
    assert found.error is not None
    assert found.error == pytest.approx(0.5, abs=0.2)
    assert found.runs <= found.most_runs == 7
    before = [(), ("s0",), ("s0", "s1"), ("s0", "s2"), ("s2", "s3"), ("s4",)][faulty]
    assert tuple(one.name for one in found.before) == before
    assert found.part is not None
    assert found.part.inputs == (tuple(f"t{name[1:]}" for name in before) if faulty else ("x",))
    assert [one.name for one in found.outputs] == ["y"]


@pytest.mark.parametrize(("n", "runs"), [(1, 1), (2, 3), (5, 5), (16, 6), (50, 8), (150, 10)])
def test_runs_are_the_whole_a_halving_and_the_part(tmp_path: Path, n: int, runs: int) -> None:
    worst = 0
    for faulty in {0, 1, n // 2, n - 2, n - 1} & set(range(n)):
        folder = tmp_path / str(faulty)
        folder.mkdir()
        fake = bisection(folder, steps_of(chain_of(n)), faulty)
        found = fake.run()
        assert (found.layer, found.runs) == (f"s{faulty}", len(fake.runner.asked))
        worst = max(worst, found.runs)
    assert worst <= runs <= most_runs(n)


def test_a_model_that_is_right_takes_one_run(tmp_path: Path) -> None:
    found = bisection(tmp_path, steps_of(BRANCHES), None).run()
    assert (found.verdict, found.runs, found.layer, found.part) == ("nothing differs", 1, None, None)


def test_a_runtime_that_fails_on_the_whole_says_why(tmp_path: Path) -> None:
    found = bisection(tmp_path, steps_of(BRANCHES), None, refused={frozenset(["t5"])}).run()
    assert (found.verdict, found.reason) == ("failed", "no kernel for this")


def test_parts_that_can_not_be_loaded_leave_several_layers(tmp_path: Path) -> None:
    refused = {frozenset([f"t{i}"]) for i in (2, 3, 4)}
    found = bisection(tmp_path, steps_of(chain_of(8)), 3, refused=refused).run()
    assert found.verdict == "found"
    assert found.candidates == ("s2", "s3", "s4", "s5")
    assert all("no kernel" in text for text in found.cautions)
    assert found.runs <= found.most_runs


def test_a_fault_that_only_the_whole_has_can_not_be_told(tmp_path: Path) -> None:
    """The last step's tensor is not the file's output: a part can end before it."""
    steps = steps_of(chain_of(6), tensor={5: "t4"}, before={5: (4,)})
    fake = bisection(tmp_path, steps, 4, only_whole=True)
    found = fake.run()
    assert found.verdict == "cannot tell"
    assert "only the whole is (y)" in found.reason
    assert "the file unoptimised on the CPU is right as a whole, so it is what the runtime fuses" in found.reason
    assert found.runs == 2


def test_fusion_is_not_accused_where_the_file_itself_is_wrong_as_a_whole(tmp_path: Path) -> None:
    steps = steps_of(chain_of(6), tensor={5: "t4"}, before={5: (4,)})
    fake = bisection(tmp_path, steps, 4, only_whole=True, file_is_wrong=True)
    found = fake.run()
    assert (found.verdict, found.layer) == ("the file as a whole", None)
    assert "fuses" not in verdict_sentence(found)
    assert "No layer of net is wrong alone: the file as a whole is another function" in verdict_sentence(found)


def test_fusion_is_not_accused_where_the_file_could_not_be_seen_to_be_right(tmp_path: Path) -> None:
    steps = steps_of(chain_of(6), tensor={5: "t4"}, before={5: (4,)})
    fake = bisection(tmp_path, steps, 4, only_whole=True)
    assert isinstance(fake.prober.plain, FakeRunner)
    fake.prober.plain.refused = {frozenset(["t5"])}
    found = fake.run()
    assert found.verdict == "cannot tell"
    assert "could not be run unoptimised on the CPU (no kernel for this): the file or what" in found.reason


def test_an_output_that_is_called_otherwise_is_said_to_be_missing_with_the_way_on(tmp_path: Path) -> None:
    fake = bisection(tmp_path, steps_of(chain_of(4)), None)
    source = msgspec.structs.replace(fake.prober.cutter.source, names={})
    fake.prober.cutter.source = source
    found = fake.run()
    assert found.verdict == "the file as a whole"
    assert "output 'y' is missing" in found.reason
    assert "--onnx-names t3=y" in found.reason


def test_a_wrong_last_layer_without_a_tensor_is_named_by_the_output(tmp_path: Path) -> None:
    steps = steps_of(chain_of(6), spread={5: 0.0})
    found = bisection(tmp_path, steps, 5).run()
    assert (found.verdict, found.layer, found.tensor) == ("found", "s5", None)
    assert [one.name for one in found.before] == ["s4"]


def test_the_layer_to_blame_is_named_and_what_is_fused_with_it(tmp_path: Path) -> None:
    steps = steps_of(chain_of(5), tensor={1: None}, before={1: (), 2: (0,)}, fused={2: ("s1",)}, blame={2: "s1"})
    found = bisection(tmp_path, steps, 2).run()
    assert (found.layer, found.tensor, found.fused) == ("s1", "t2", ("s2",))


def test_a_step_that_can_not_be_judged_is_part_of_the_next(tmp_path: Path) -> None:
    found = bisection(tmp_path, steps_of(chain_of(5), yardstick={2: 0.05}), 2).run()
    assert (found.layer, found.fused, found.tensor) == ("s3", ("s2",), "t3")


def test_outputs_that_are_vacuous_still_have_their_layers_searched(tmp_path: Path) -> None:
    steps = steps_of(chain_of(5), spread={4: 0.0})
    wrong = bisection(tmp_path, steps, 2, truth_spread=0.0).run()
    assert (wrong.verdict, wrong.layer) == ("found", "s2")
    right = bisection(tmp_path, steps, None, truth_spread=0.0).run()
    assert right.verdict == "cannot tell"
    assert "its outputs can't be judged" in right.reason


def test_a_layer_that_nothing_was_seen_of_is_not_said_to_give_nan(tmp_path: Path) -> None:
    """The output is the same for every input, and no part that ends in the last layer before it can be run."""
    steps, refused = steps_of(chain_of(5), spread={4: 0.0}), {frozenset(["t3"])}
    right = bisection(tmp_path, steps, None, truth_spread=0.0, refused=refused).run()
    assert (right.verdict, right.layer) == ("cannot tell", None)
    assert "could not be run" in right.cautions[0]
    wrong = bisection(tmp_path, steps, 3, refused=refused).run()
    assert (wrong.verdict, wrong.layer, wrong.error, wrong.tolerance) == ("found", "s3", None, None)
    assert "s3 (Dense): nothing runs that ends there" in verdict_sentence(wrong)


def test_a_batch_that_is_fixed_to_more_items_than_the_pool_has_accuses_no_layer(tmp_path: Path) -> None:
    """The whole is run over the pool, layers over as many items as a batch has: those of the pool come again."""
    fake = bisection(tmp_path, steps_of(chain_of(4)), None)
    taken, truths = fake.prober.dissection, fake.runner.truths

    def again(rows: Array) -> Array:
        return np.take(rows, range(ITEMS + 4), axis=0, mode="wrap")

    truths.update({name: again(rows) for name, rows in truths.items()})
    steps = [
        msgspec.structs.replace(
            step, truth=save_arrays(tmp_path / f"{step.tensor}.npz", {"value": truths[f"t{place}"]})
        )
        for place, step in enumerate(taken.steps)
    ]
    pool = save_arrays(tmp_path / "more.npz", {name: again(rows) for name, rows in load_arrays(taken.pool).items()})
    fake.prober.dissection = msgspec.structs.replace(taken, steps=tuple(steps), pool=pool)
    found = Hunt(fake.prober, fake.links, Silent()).run(every_layer=True, keep=None)
    assert found.verdict == "nothing differs"
    assert [row.verdict for row in found.layers] == ["within"] * 4


def test_a_part_that_is_right_alone_is_widened_to_the_inputs(tmp_path: Path) -> None:
    found = bisection(tmp_path, steps_of(chain_of(6)), 3, only_from_inputs=True).run()
    assert found.part is not None
    assert (found.layer, found.part.from_inputs, found.part.inputs) == ("s3", True, ("x",))
    assert "alone it is right" in found.part.note


def test_a_part_that_can_not_be_fed_item_by_item_is_widened(tmp_path: Path) -> None:
    found = bisection(tmp_path, steps_of(chain_of(6)), 3, unbatched=["t2"]).run()
    assert found.part is not None
    assert (found.part.from_inputs, found.part.note) == (True, "'t2' has not the batch in front")


def test_two_runtimes_are_judged_one_by_the_other(tmp_path: Path) -> None:
    fake = bisection(tmp_path, steps_of(BRANCHES), 3, reference=True)
    found = fake.run()
    assert (found.layer, found.reference, found.runtime) == ("s3", "openvino", "onnxruntime-cpu")
    assert fake.prober.reference is not None
    assert fake.prober.reference.runs == fake.runner.runs


def test_every_layer_is_run_once_where_that_is_asked_for(tmp_path: Path) -> None:
    fake = bisection(tmp_path, steps_of(chain_of(9), spread={4: 0.0}), 5)
    found = fake.run(every_layer=True)
    assert [row.verdict for row in found.layers] == ["within"] * 4 + ["not judged"] + ["beyond"] * 4
    assert found.layers[4].reason == "the same for every input"
    assert found.runs + found.layer_runs == len(fake.runner.asked) <= 9 + 2
    seldom = bisection(tmp_path, steps_of(chain_of(9)), 5).run()
    assert "not run" in {row.verdict for row in seldom.layers}


def test_what_is_kept_has_the_layout_of_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "model.onnx").write_bytes(b"onnx")
    fake = bisection(tmp_path, steps_of(chain_of(4)), 2)
    cut = fake.prober.cutter.between(["t1"], "t2")
    there = msgspec.structs.replace(cut, path=str(tmp_path / "cut" / "model.onnx"))
    monkeypatch.setattr(fake.prober.cutter, "between", lambda *_: there)
    found = fake.run(keep=tmp_path / "out" / "part")
    folder = tmp_path / "out" / "part"
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()) == [
        "README.md",
        "model.onnx",
        "test_data_set_0/input_0.pb",
        "test_data_set_0/output_0.pb",
    ]
    name, inputs = parse_tensor((folder / "test_data_set_0" / "input_0.pb").read_bytes())
    assert name == "t1"
    np.testing.assert_array_equal(inputs, fake.runner.truths["t1"])
    np.testing.assert_array_equal(
        parse_tensor((folder / "test_data_set_0" / "output_0.pb").read_bytes())[1], fake.runner.truths["t2"]
    )
    readme = (folder / "README.md").read_text()
    assert "s2 (Dense) of net on onnxruntime-cpu 1.0" in readme
    assert "bench verify ./model.onnx -e onnxruntime-cpu" in readme
    assert found.part is not None
    assert found.part.folder == str(folder)


def test_an_error_near_its_budget_counts_over_too_few_items_too() -> None:
    near = OutputCheck(output="t", verdict="vacuous", reason="few", relative_error=4e-4, tolerance=5e-4)
    blind = msgspec.structs.replace(near, relative_error=0.2, tolerance=0.3)
    assert badness(near) == pytest.approx(0.8)
    assert badness(blind) == badness(msgspec.structs.replace(blind, tolerance=None)) == 0.0
    assert badness(msgspec.structs.replace(near, verdict="disagrees", relative_error=None)) == float("inf")
