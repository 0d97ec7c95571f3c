"""What an interrupted run may be gone on with, and what refuses it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.errors import UsageError
from bench.records import ArrayFile, Failure, Prepared
from bench.resume import refuse_other_environments, refuse_other_machine, refuse_other_models
from report_fakes import environment, prepared

OUT = Path("out")


def test_the_same_machine_goes_on() -> None:
    refuse_other_machine(OUT, environment(), environment(command="bench run --resume out"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"packages": {"numpy": "2.4.7"}}, "packages"),
        ({"bench_version": "0.2.0"}, "bench_version"),
        ({"machine": msgspec.structs.replace(environment().machine, cpu="Another CPU")}, "machine"),
    ],
)
def test_another_machine_package_or_version_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=rf"resuming out: {said} differ"):
        refuse_other_machine(OUT, environment(), environment(**changes))


def test_the_same_digests_go_on_wherever_the_files_are() -> None:
    refuse_other_models({"net": prepared()}, {"net": prepared(folder="/elsewhere"), "more": prepared()})


OTHER = ArrayFile(path="f.npz", digest="0000", items=8)


@pytest.mark.parametrize(
    "now",
    [
        msgspec.structs.replace(prepared(), model_digest="0000"),
        msgspec.structs.replace(prepared(), pool=OTHER),
        msgspec.structs.replace(prepared(), truth_file=OTHER),
        msgspec.structs.replace(prepared(), artifacts={}),
        Failure(status="failed", reason="gone"),
    ],
)
def test_other_digests_of_a_model_are_refused(now: Prepared | Failure) -> None:
    with pytest.raises(UsageError, match="the digests of net differ"):
        refuse_other_models({"net": prepared()}, {"net": now})


def test_a_model_that_is_missing_is_refused() -> None:
    with pytest.raises(UsageError, match="the digests of net differ"):
        refuse_other_models({"net": prepared()}, {})


PINNED = {"onnxruntime-cpu@1.30.0": {"onnxruntime": "1.30.0", "numpy": "2.4.6"}}


def test_the_same_environments_go_on() -> None:
    refuse_other_environments(environment(), {})
    refuse_other_environments(environment(environments=PINNED), dict(PINNED))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (PINNED, {"onnxruntime-cpu@1.30.0": {"onnxruntime": "1.30.0", "numpy": "2.4.7"}}),
        (PINNED, {}),
        ({}, PINNED),
    ],
)
def test_another_environment_is_refused(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> None:
    with pytest.raises(UsageError, match=r"the environment of onnxruntime-cpu@1\.30\.0 differs"):
        refuse_other_environments(environment(environments=before), now)
