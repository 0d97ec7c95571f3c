from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.check.bundle import write_bundle
from bench.check.records import BundledCase, Side
from bench.commands.sides import NOW, GivenSide, Plan, parse_side, plan_sides
from bench.errors import UsageError
from bench.flags import Flags, parse_flags
from bench.specs import parse_runtime
from bench.suite import Asked
from command_fakes import Heard
from gate_fakes import bundle, bundled, files_of_net, replace

NET = Flags(model=("mobilenet_v1",))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return keep(tmp_path)


def keep(tmp_path: Path, *cases: BundledCase, **changes: Any) -> Path:
    files = files_of_net(tmp_path / "files")
    write_bundle(tmp_path / "kept", bundle(*cases, models={"net": files}, **changes), {})
    return tmp_path / "kept"


def on(runtime: str, batch_size: int = 1, threads: int = 1) -> BundledCase:
    spec = parse_runtime(runtime)
    word = f"{spec.name}{f'#{spec.label}' if spec.label else ''}"
    one = bundled(f"net | {word} | batch {batch_size} | threads {threads}")
    case = replace(one.case, runtime=replace(spec, version="1.30.0"), batch_size=batch_size, threads=threads)
    return replace(one, case=case)


def plan(
    baseline: GivenSide, head: GivenSide = NOW, flags: Flags = NET, workplace: Path = Path()
) -> tuple[dict[Side, Plan], str | None]:
    return plan_sides({"baseline": baseline, "head": head}, parse_flags(flags), workplace, Heard().console)


def runtimes(one: Plan) -> list[str]:
    return [runtime.display for runtime in one.suite.runtimes]


def side(runtime: str) -> GivenSide:
    return GivenSide(runtime=parse_runtime(runtime))


# --- what is typed


def test_a_side_is_a_bundle_a_runtime_or_a_revision(kept: Path) -> None:
    assert parse_side("--head", str(kept)) == GivenSide(folder=kept)
    assert parse_side("--head", "cpu@1.30.0:arena=off") == side("cpu@1.30.0:arena=off")
    assert parse_side("--head", "git:v1.2") == GivenSide(revision="v1.2")


def test_a_runtime_wins_over_a_folder_of_its_name(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.rename(kept.parent / "cpu")
    monkeypatch.chdir(kept.parent)
    assert parse_side("--head", "cpu") == side("cpu")
    assert parse_side("--head", "./cpu") == GivenSide(folder=Path("cpu"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nowhere", "there is no such folder, and no runtime of that name"),
        ("git:", "expected git:REV"),
        ("cpu,tf", "a side is one runtime, seen 2"),
        ("cpu:arena=maybe", "arena"),
        ("cpu@", "is not a version"),
        ("empty", r"seen a folder without bundle\.json"),
        ("file", "seen a file"),
    ],
)
def test_what_is_no_side_says_what_would_be(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").touch()
    with pytest.raises(UsageError, match=why):
        parse_side("--baseline", text)


# --- what is made of it


def test_two_runtimes_are_two_suites_of_the_same_models_that_pair() -> None:
    plans, called = plan(side("cpu@1.30.0"), side("cpu@1.32.0"))
    assert runtimes(plans["baseline"]) == ["onnxruntime-cpu@1.30.0"]
    assert runtimes(plans["head"]) == ["onnxruntime-cpu@1.32.0"]
    assert plans["baseline"].origin == "mobilenet_v1 on onnxruntime-cpu@1.30.0"
    assert called is None  # a version is in no case's name


@pytest.mark.parametrize(
    ("baseline", "head", "name"),
    [
        ("cpu", "tf", "onnxruntime-cpu against tensorflow"),
        ("cpu#a", "cpu#b", "onnxruntime-cpu"),
        ("cpu", "cpu:arena=off", None),
    ],
)
def test_cases_of_two_runtimes_get_one_name(baseline: str, head: str, name: str | None) -> None:
    assert plan(side(baseline), side(head))[1] == name


def test_a_runtime_against_a_bundle_of_one_other_takes_its_name(tmp_path: Path) -> None:
    kept = keep(tmp_path, on("cpu#a"))
    plans, called = plan(GivenSide(folder=kept), side("tf"))
    assert (list(plans), called) == (["head"], "onnxruntime-cpu#a")


def test_a_runtime_against_a_bundle_of_several_keeps_its_own_name(tmp_path: Path) -> None:
    kept = keep(tmp_path, on("cpu#a"), on("cpu#b"))
    assert plan(GivenSide(folder=kept), side("tf"))[1] is None


def test_what_is_not_said_is_as_in_the_bundle(tmp_path: Path) -> None:
    kept = keep(tmp_path, on("cpu:arena=off", 8, 2), on("cpu#x", 1, 2), seed=5)
    plans, _ = plan(GivenSide(folder=kept))
    suite = plans["head"].suite
    assert runtimes(plans["head"]) == ["onnxruntime-cpu:arena=off", "onnxruntime-cpu#x"]  # as installed
    assert suite.batch_sizes == {"mobilenet_v1": (8, 1)}
    assert (suite.threads, suite.prepare.seed) == (2, 5)


def test_what_is_said_wins_over_the_bundle(tmp_path: Path) -> None:
    kept = keep(tmp_path, on("cpu", 8, 2), seed=5)
    flags = Flags(model=("mobilenet_v1",), runtime=("tf",), batch="4", threads=1, seed=6)
    plans, _ = plan(GivenSide(folder=kept), flags=flags)
    suite = plans["head"].suite
    assert runtimes(plans["head"]) == ["tensorflow"]
    assert (suite.batch_sizes, suite.threads, suite.prepare.seed) == ({"mobilenet_v1": (4,)}, 1, 6)


def test_one_thread_where_nothing_says_otherwise() -> None:
    plans, _ = plan(side("cpu@1.30.0"), side("cpu"))
    assert [one.suite.threads for one in plans.values()] == [1, 1]


def test_head_left_out_is_the_baseline_s_runtime_as_installed() -> None:
    plans, _ = plan(side("cpu@1.30.0:arena=off"))
    assert runtimes(plans["head"]) == ["onnxruntime-cpu:arena=off"]


def test_head_left_out_must_not_be_the_baseline() -> None:
    with pytest.raises(UsageError, match="baseline and head are the same"):
        plan(side("cpu"))
    assert plan(side("cpu"), side("cpu"))[1] is None  # who says it twice means it


def test_a_damaged_bundle_is_told_before_anything_is_made(kept: Path) -> None:
    (kept / "bundle.json").write_text("{")
    with pytest.raises(UsageError, match=r"bundle\.json is damaged"):
        plan(GivenSide(folder=kept))


def test_two_bundles_need_nothing_made(kept: Path) -> None:
    given: dict[Side, GivenSide] = {"baseline": GivenSide(folder=kept), "head": GivenSide(folder=kept)}
    assert plan_sides(given, Asked(), Path(), Heard().console) == ({}, None)
