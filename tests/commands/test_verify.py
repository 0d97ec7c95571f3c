from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import verifying
from bench.analysis.attribution import Attribution, LinkError
from bench.commands.verify import verified_json, verified_text, verify_models
from bench.commands.verify_sentence import verdict_sentence
from bench.commands.verify_text import agreement_text, detail_line, explanation_text, least_passing
from bench.errors import UsageError
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Caution, Finding, ModelSpec, OutputCheck, PrepareSettings, Tolerance
from bench.rows import Row
from bench.verifying import JudgedCase, JudgedModel, Verified
from command_fakes import Heard
from report_fakes import absent, check, environment, reference, row

NET = ModelSpec(text="nets/net.keras", kind="keras_file", name="net", display="net", path="nets/net.keras")
LINKS = ("export", "optimiser basic", "optimiser extended", "optimiser all")


def chain(*, blame: str | None = None, source: str | None = "rounding", links: tuple[str, ...] = LINKS) -> Attribution:
    errors = {link: 0.64 if blame == link or source == link else 2e-5 for link in links}
    return Attribution(
        output="probabilities",
        yardstick=5e-5,
        links=tuple(
            LinkError(link=link, error=error, yardsticks=error / 5e-5, verdict="agrees")
            for link, error in errors.items()
        ),
        blame=blame,
        source=source,
    )


def case(verdict: Row | None = None, /, **changes: Any) -> JudgedCase:
    """One that agrees, unless changes say otherwise."""
    fields: dict[str, Any] = {"row": verdict or row(), "checks": [check()], "chain": [chain()]}
    return JudgedCase(**(fields | changes))


def wrong(runtime: str = "openvino", blame: str | None = "runtime", **changes: Any) -> JudgedCase:
    """One that is off by 0.64."""
    failing = row(runtime, agreement="disagrees", agreement_reason="relative error 0.64 exceeds 0.001")
    links = (*LINKS, "runtime") if blame is None or blame in (*LINKS, "runtime") else ("runtime",)
    found = chain(blame=blame, source=blame, links=links)
    return case(failing, checks=[check(error=0.64)], chain=[found], **changes)


def tensorflow() -> JudgedCase:
    own = Attribution(
        output="probabilities",
        yardstick=5e-5,
        links=(LinkError(link="runtime", error=5e-5, yardsticks=1.0, verdict="agrees"),),
        blame=None,
        source="rounding",
    )
    return case(reference(), chain=[own])


def model(*cases: JudgedCase, **changes: Any) -> JudgedModel:
    return JudgedModel(spec=NET, cases=list(cases), truth="float64", **changes)


def sentence(*cases: JudgedCase, settings: PrepareSettings | None = None) -> str:
    return verdict_sentence(model(*cases), settings or PrepareSettings())


class FakeVerification:
    """Stands for ``verify_suite``."""

    def __init__(self, result: Verified) -> None:
        self.result = result
        self.outs: list[Path | None] = []
        self.runtimes: list[str] = []

    def __call__(self, suite: Any, *, progress: Any, out: Path | None) -> Verified:
        self.outs.append(out)
        self.runtimes = [runtime.name for runtime in suite.runtimes]
        return self.result


def run(monkeypatch: pytest.MonkeyPatch, result: Verified, heard: Heard, **asked: Any) -> tuple[int, FakeVerification]:
    fake = FakeVerification(result)
    monkeypatch.setattr(verifying, "verify_suite", fake)
    settings: dict[str, Any] = {"suite_file": None, "out": None, "as_json": False} | asked
    flags = Flags(model=("mobilenet_v1",), runtime=("cpu",))
    return verify_models(flags, **settings, console=heard.console, progress=Silent()), fake


@pytest.mark.parametrize("exit_code", [0, 3, 5, 6])
def test_the_exit_code_is_that_of_the_rows(exit_code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    code, fake = run(monkeypatch, Verified([row()], exit_code, [model(case())]), heard)
    assert code == exit_code
    assert fake.runtimes == ["onnxruntime-cpu"]
    assert heard.text.startswith("net: onnxruntime-cpu computes the same function: ")


def test_outputs_are_kept_where_the_user_says_and_never_over_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard, result = Heard(), Verified([row()], 0, [model(case())])
    _, fake = run(monkeypatch, result, heard, out=tmp_path / "kept")
    assert fake.outs == [tmp_path / "kept"]
    assert heard.err == [f"outputs: {tmp_path / 'kept'}"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(UsageError):
        run(monkeypatch, result, heard, out=tmp_path / "other")


def test_a_model_that_agrees_is_one_sentence_with_its_numbers_and_where_most_of_the_error_is_from() -> None:
    said = sentence(tensorflow(), case(chain=[chain(source="optimiser extended")], checks=[check(error=3.9e-4)]))
    assert said == (
        "net: tensorflow and onnxruntime-cpu compute the same function: onnxruntime-cpu is off by 3.9e-4 of the "
        "outputs' spread where 1.0e-3 is allowed (TensorFlow's own float32: 5.0e-6); "
        "most of it comes from the optimiser's level extended"
    )
    assert sentence(tensorflow()).startswith("net: tensorflow computes the same function: off by 6.0e-6 of")
    assert "most of it is the rounding of float32" in sentence(case())


@pytest.mark.parametrize(
    ("blame", "words", "runtime"),
    [
        ("export", "the export is wrong: unoptimised on the CPU its 'probabilities' is off by 0.64", "cpu"),
        ("optimiser basic", "the optimiser's level basic is to blame", "openvino"),
        ("runtime", "the runtime is to blame: openvino is off by 0.64 of the spread from onnxruntime-cpu", "openvino"),
    ],
)
def test_a_model_that_disagrees_says_whose_fault_it_is_and_how_to_find_the_layer(
    blame: str, words: str, runtime: str
) -> None:
    said = sentence(tensorflow(), wrong(blame=blame))
    assert said.startswith(
        "net: openvino does not compute the same function: output 'probabilities' is off by 0.64 of its spread where "
        f"1.0e-3 is allowed; {words}"
    )
    assert f"; find the layer: bench bisect nets/net.keras -e {runtime}; tensorflow computes the same function" in said


def test_the_users_own_file_is_in_the_command_that_finds_the_layer() -> None:
    said = sentence(wrong(blame="export"), settings=PrepareSettings(onnx_file="my net.onnx"))
    assert said.endswith("bench bisect nets/net.keras -e cpu --onnx 'my net.onnx'")
    assert "the file of --onnx is wrong: unoptimised" in said


def test_a_file_that_does_not_compute_its_stored_outputs_was_exported_by_nobody() -> None:
    stored = replace(model(wrong(blame="export")), truth="stored outputs")
    said = verdict_sentence(stored, PrepareSettings())
    assert "the file does not compute its stored outputs: unoptimised on the CPU its 'probabilities' is off" in said
    assert "export" not in said
    assert "the export is wrong" in sentence(wrong(blame="export"))
    other = verdict_sentence(replace(stored, cases=[wrong()]), PrepareSettings())
    assert "the runtime is to blame" in other


def test_a_runtime_without_an_onnx_file_has_no_layer_to_be_found() -> None:
    one = wrong("litert", blame="its own")
    own = Attribution(output="probabilities", yardstick=5e-5, links=one.chain[0].links, blame="runtime", source=None)
    said = sentence(case(one.row, checks=one.checks, chain=[own]))
    assert said.endswith("no ONNX file is part of it: litert's own conversion or kernels are to blame")


def test_a_file_that_no_runtime_was_given_is_explained_by_the_reference_runs() -> None:
    failed = row(status="failed", status_reason="it computes something else", agreement="disagrees")
    said = sentence(tensorflow(), case(failed, checks=[], chain=[chain(blame="export")]))
    assert said.startswith("net: onnxruntime-cpu does not compute the same function: the export is wrong: unoptimised")
    assert "it computes something else" in sentence(case(failed, checks=[], chain=[]))


def test_what_could_not_run_or_cannot_tell_says_why_and_what_else_agrees() -> None:
    said = sentence(tensorflow(), case(absent(), checks=[], chain=[]))
    assert said.startswith("net: onnxruntime-cuda could not run: asked for CUDAExecutionProvider")
    assert said.endswith("; tensorflow computes the same function")
    unsure = row(agreement="vacuous", agreement_reason="the truth hardly varies")
    told = sentence(case(unsure, checks=[check(verdict="vacuous")]))
    assert told == "net: cannot tell whether onnxruntime-cpu computes the same function: the truth hardly varies"


def test_batch_sizes_are_told_apart_where_there_are_several() -> None:
    said = sentence(case(), case(row(batch_size=8)))
    assert said.startswith("net: onnxruntime-cpu (batch 1) and onnxruntime-cpu (batch 8) compute the same function")


def test_a_yardstick_that_is_not_tensorflows_has_another_name() -> None:
    bare = JudgedModel(spec=NET, cases=[case()], truth="onnxruntime-cpu unoptimised")
    assert "(one rounding of the weights: 5.0e-6)" in verdict_sentence(bare, PrepareSettings())
    assert "yardstick" in explanation_text(bare).splitlines()[1]


def test_where_all_is_well_the_chain_has_a_line_a_case_and_details_are_of_the_worst_output() -> None:
    other = Attribution(output="mask", yardstick=1e-6, links=chain().links, blame=None, source="export")
    both = case(checks=[check(error=6e-6), check("mask", 1e-7)], chain=[chain(), other])
    lines = explanation_text(model(tensorflow(), both)).splitlines()
    assert lines[0].startswith("whose error it is, in units of the output's spread")
    assert lines[1].split() == ["runtime", "output", "float32", "export", "basic", "extended", "all", "blame"]
    assert lines[2].split()[:5] == ["onnxruntime-cpu", "probabilities", "5.0e-5", "2.0e-5", "(0.4x)"]
    assert len(lines) == 4
    assert lines[3].startswith("tensorflow, output 'probabilities': ")


def test_where_something_disagrees_every_output_of_it_is_told() -> None:
    other = Attribution(output="mask", yardstick=1e-6, links=chain().links, blame=None, source="export")
    bad = wrong()
    both = case(bad.row, checks=[*bad.checks, check("mask", 0.5)], chain=[*bad.chain, other])
    text = explanation_text(model(both))
    assert [line.split()[1] for line in text.splitlines()[2:4]] == ["probabilities", "mask"]
    assert text.splitlines()[2].endswith("  runtime")
    assert "openvino, output 'mask': " in text


def test_details_are_the_worst_entry_the_least_tolerances_tops_and_numbers_that_are_none() -> None:
    numbers: dict[str, Any] = {"worst_value": 0.25, "worst_truth": 0.5, "smallest_rtol": 0.5, "smallest_atol": 0.25}
    more: dict[str, Any] = {"top1_agreement": 0.875, "top5_agreement": 1.0, "tie_margin": 2e-5, "denormals_truth": 3}
    assert detail_line(check(**numbers, **more, nonfinite=2)) == (
        "worst at (3, 917): 0.25 where 0.5 is right; passes from --rtol 0.5 or --atol 0.25 on; top-1 the same in "
        "87.5 % of inputs, in the top-5 in 100 % (ties within 2.0e-5); NaN or Inf 2, in the truth 0; "
        "denormals 0, in the truth 3"
    )
    same = detail_line(check(max_abs_error=0.0, worst_value=1.0, worst_truth=1.0, smallest_atol=0.0))
    assert same.startswith("equal to the truth everywhere; NaN or Inf 0")


@pytest.mark.parametrize("value", [1e-9, 2.349e-5, 0.1, 0.999, 1.0, 123.4])
def test_the_least_tolerance_that_is_printed_passes(value: float) -> None:
    assert value <= float(least_passing(value)) <= 1.1 * value


def test_findings_cautions_and_the_furthest_runtimes_have_a_line_each() -> None:
    told = Finding(code="channels reversed", text="it matches with its channels reversed", error=1e-6)
    known = Finding(code="x", text="relative error 0.64 exceeds", error=1e-6)
    judged = model(
        wrong(findings=(told, known)),
        cautions=(Caution(code="denormal", text="3 weights are denormal"),),
        apart={("a", "b"): 1e-6, ("a", "c"): 3e-4},
    )
    assert explanation_text(judged).splitlines()[-3:] == [
        "openvino: it matches with its channels reversed",
        "furthest apart: a and c, 3.0e-4 of the spread",
        "caution, denormal: 3 weights are denormal",
    ]


def test_sentences_come_first_then_the_table_then_what_explains_it() -> None:
    suite = environment().suite
    text = verified_text(Verified([row()], 0, [model(tensorflow(), case())]), suite)
    first, table, explained = text.split("\n\n")
    assert first.startswith("net: ")
    assert table.startswith("model  runtime")
    assert explained.startswith("whose error it is")


def test_json_has_everything() -> None:
    suite = environment().suite
    judged = model(wrong(), tensorflow(), apart={("openvino", "tensorflow"): 0.64})
    found = json.loads(verified_json(Verified([row()], 3, [judged]), suite))
    assert found["exit_code"] == 3
    (one,) = found["models"]
    assert one["verdict"].startswith("net: openvino does not")
    assert one["apart"] == [{"runtimes": ["openvino", "tensorflow"], "distance": 0.64}]
    (output,) = one["cases"][0]["outputs"]
    assert (output["verdict"], output["whose_error"]["blame"]) == ("disagrees", "runtime")
    nan = case(row(relative_error=float("nan")), checks=[], chain=[])
    assert (
        json.loads(verified_json(Verified([row()], 3, [model(nan)]), suite))["models"][0]["cases"][0]["relative_error"]
        is None
    )


def test_a_verdict_has_its_numbers_and_no_reason_when_it_agrees() -> None:
    lines = agreement_text([row()]).splitlines()
    assert [line.split() for line in lines] == [
        ["model", "runtime", "batch", "agreement", "error", "tolerance", "max", "abs", "truth"],
        ["net", "onnxruntime-cpu", "1", "agrees", "6.0e-06", "1.0e-03", *lines[1].split()[6:]],
    ]


@pytest.mark.parametrize("verdict", ["disagrees", "vacuous", "unchecked"])
def test_every_other_verdict_says_why(verdict: str) -> None:
    text = agreement_text([row(agreement=verdict, agreement_reason="0.1 from the truth")])
    assert text.splitlines()[-1] == "net, onnxruntime-cpu, batch 1: 0.1 from the truth"
    assert verdict in text


def test_a_runtime_that_is_not_there_says_why() -> None:
    last = absent()
    text = agreement_text([last])
    assert f"({last.status})" in text
    assert text.splitlines()[-1].endswith(last.status_reason)


def test_a_tolerance_of_the_users_own_is_shown_where_it_judged() -> None:
    tolerance = Tolerance(rtol={"": 1e-3}, atol={"logits": 1e-6})
    text = agreement_text([row(tolerance=None, max_abs_error=1e-5), row(), absent()], tolerance)
    assert ["rtol 0.001, atol logits:1e-06" in line for line in text.splitlines()[1:4]] == [True, False, False]
    assert "tol 0" not in agreement_text([row(tolerance=None, max_abs_error=1e-5)])


def test_a_check_without_numbers_is_told_by_its_reason() -> None:
    odd = OutputCheck(output="probabilities", verdict="disagrees", reason="shape (8, 3) where (8, 4) was expected")
    bad = wrong()
    said = sentence(case(bad.row, checks=[odd], chain=bad.chain))
    assert "output 'probabilities': shape (8, 3) where (8, 4) was expected; the runtime is to blame" in said


RANDOM = Caution(code="non-deterministic model", text="two answers; no comparison of it means anything")
REVERSED = Finding(
    code="input channels reversed", text="with the channels of input 'image' reversed the error falls", error=1e-6
)


def lone(one: JudgedCase, **changes: Any) -> JudgedCase:
    """The same without an ONNX file in its chain."""
    own = Attribution(output="probabilities", yardstick=5e-5, links=one.chain[0].links, blame="runtime", source=None)
    fields: dict[str, Any] = {"row": one.row, "checks": one.checks, "chain": [own]}
    return JudgedCase(**(fields | changes))


def test_outputs_that_are_only_called_otherwise_are_nobodys_fault() -> None:
    reason = "output 'head' is missing: the model has 'head', the runtime gave 'x'; add --onnx-names x=head"
    odd = OutputCheck(output="head", verdict="disagrees", reason=reason)
    said = sentence(lone(wrong("litert", blame="its own"), checks=[odd], chain=[]))
    assert said == f"net: litert cannot be compared, the names of outputs differ: {reason}"
    gone = OutputCheck(output="head", verdict="disagrees", reason="output 'head' is missing: the runtime gave none")
    said = sentence(lone(wrong("litert", blame="its own"), checks=[gone], chain=[]))
    assert said == "net: litert does not compute the same function: output 'head' is missing: the runtime gave none"


def test_the_users_own_litert_file_is_to_blame_and_not_the_conversion() -> None:
    case_ = lone(wrong("litert", blame="its own"))
    assert "the file of --litert is wrong" in sentence(case_, settings=PrepareSettings(litert_file="own.tflite"))
    assert "--litert" not in sentence(case_)


def test_a_random_model_is_nobodys_fault_and_no_runtime_is_accused() -> None:
    judged = model(tensorflow(), wrong("openvino"), cautions=(RANDOM,))
    assert verdict_sentence(judged, PrepareSettings()) == f"net: the model is random: {RANDOM.text}"
    assert "runtime" not in explanation_text(judged).splitlines()[2].split()
    agreeing = model(tensorflow(), case(), cautions=(RANDOM,))
    assert "compute the same function" in verdict_sentence(agreeing, PrepareSettings())
    found = Finding(code="non-deterministic model", text="the file gave two answers")
    assert sentence(wrong(findings=(found,))).startswith("net: the model is random: the file gave two answers; no comp")


def test_a_model_that_gives_nan_itself_is_told_first() -> None:
    nan = check(verdict="vacuous", relative_error=None, nonfinite=24, nonfinite_truth=24)
    unsure = row(agreement="vacuous", agreement_reason="24 of 24 entries are NaN")
    said = sentence(case(unsure, checks=[nan]), case(absent(), checks=[], chain=[]))
    where = "24 entries of output 'probabilities'"
    headline = f"net: the model itself gives NaN or infinity ({where}): mend the model or its inputs"
    assert said.startswith(f"{headline}; onnxruntime-cuda could not run: ")
    assert "itself" not in sentence(case(unsure, checks=[nan]), wrong())
    own = check(verdict="disagrees", relative_error=None, nonfinite=24)
    assert "itself" not in sentence(case(wrong().row, checks=[own], chain=wrong().chain))


def test_a_diagnosis_is_in_the_sentence_and_sends_nobody_to_layers_that_are_right() -> None:
    said = sentence(wrong(blame="runtime", findings=(REVERSED,)))
    assert (
        "where 1.0e-3 is allowed; with the channels of input 'image' reversed the error falls; the runtime is" in said
    )
    assert "bench bisect" not in said
    scaled = Finding(code="scale", text="times 2 the error falls", error=1e-6)
    said = sentence(wrong(blame="runtime", findings=(scaled, REVERSED)))
    assert "; times 2 the error falls; " in said
    assert "bench bisect" in said


def test_the_command_that_finds_the_layer_makes_the_same_experiment() -> None:
    settings = PrepareSettings(load_inputs="a/in.npz", input_ranges={"": (0.0, 255.0)}, seed=3, opset=17, unsafe=True)
    said = sentence(wrong(), settings=settings)
    words = "--load-inputs a/in.npz --input-range 0,255 --opset 17 --unsafe -S 3"
    assert said.endswith(f"bench bisect nets/net.keras -e openvino {words}")


def test_outputs_at_their_bounds_are_told_beside_an_agreement() -> None:
    bounds = Caution(code="saturated output", text="99% of output y is 0 or 1")
    said = verdict_sentence(model(case(), cautions=(bounds,)), PrepareSettings())
    assert "compute" in said
    assert said.endswith("compare logits or other inputs, and see --power")
    assert "saturated" not in sentence(case())
    assert "hardly anything" not in verdict_sentence(model(wrong(), cautions=(bounds,)), PrepareSettings())


def test_no_error_at_all_is_said_in_words() -> None:
    assert sentence(case(checks=[check(error=0.0)])) == (
        "net: onnxruntime-cpu computes the same function: equal to the truth in every entry"
    )
