"""Which layers of Keras and which models come out as ONNX, which come out wrong, which not at all, and why?

``python benchmarks/conversion_table.py [--only WORD ...] [-o conversion_table.md]`` prepares every model of
``conversion_models.py`` and of keras.applications as ``bench`` does (one child process makes many: TensorFlow takes
seconds to import), runs each file in a worker and judges its outputs as ``bench verify`` does. Exits 1 where an answer
is not explained: no reason, a wrong file without the layer that is wrong, or an exception of our own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from bench.analysis.agreement import case_verdict, merge_checks, worst_check
from bench.analysis.checker import make_checker
from bench.cases import make_arm, make_case
from bench.measure import plan
from bench.measure.launch import ProcessLauncher, run_folder
from bench.measure.rounds import Arm, Repetition
from bench.prepare.cache import with_paths
from bench.prepare.launch import child_environment
from bench.prepare.messages import ANSWER_FILE, ChildAnswer, ChildError, ChildRequest
from bench.preparing import pool_shapes
from bench.records import Failure, MeasureSettings, ModelSpec, Prepared, PrepareSettings, Record, Tolerance
from bench.specs import parse_model, parse_runtimes
from benchmarks.conversion_rows import Converted, row_of, table_text

HERE = Path(__file__).resolve().parent
CASES_FILE = "cases.json"
APPLICATIONS = {
    "MobileNet": "alpha=0.25,resolution=96",
    "MobileNetV2": "alpha=0.35,resolution=96",
    "MobileNetV3Small": "resolution=96",
    "MobileNetV3Large": "resolution=96",
    "EfficientNetB0": "resolution=64",
    "EfficientNetV2B0": "resolution=64",
    "NASNetMobile": "resolution=64",
    "DenseNet121": "resolution=64",
    "ResNet50": "resolution=64",
    "ResNet50V2": "resolution=64",
    "Xception": "resolution=96",
    "InceptionV3": "resolution=96",
    "ConvNeXtTiny": "resolution=64",
}


class Wanted(Record, frozen=True):
    """One model to convert."""

    group: str
    name: str
    spec: ModelSpec
    settings: PrepareSettings


def every_case() -> list[Wanted]:
    """All models. Imports Keras: in the child."""
    from benchmarks.conversion_models import GROUPS, RANGES, SHAPES

    built = [
        Wanted(
            group=group,
            name=name,
            spec=ModelSpec(
                text=name,
                kind="builder",
                name="conversion_models",
                display=name,
                path=str(HERE / "conversion_models.py"),
                function="build",
                options={"case": name},
            ),
            settings=PrepareSettings(input_shapes=SHAPES.get(name, {}), input_ranges=RANGES.get(name, {})),
        )
        for group, builds in GROUPS.items()
        for name in builds
    ]
    applications = [
        Wanted(
            group="keras.applications",
            name=name,
            spec=parse_model(f"keras:{name}:{options}"),
            settings=PrepareSettings(),
        )
        for name, options in APPLICATIONS.items()
    ]
    return [*built, *applications]


def prepare_in_child(folder: Path, parent: int, only: Sequence[str]) -> None:
    """Prepare every model that has no folder yet, each in its own, as ``bench.prepare.child.main`` does."""
    from bench.children import die_with
    from bench.prepare.child.main import answer
    from bench.prepare.child.serving import leave, write_answer

    die_with(parent)
    wanted = [one for one in every_case() if not only or any(word in f"{one.group} {one.name}" for word in only)]
    (folder / CASES_FILE).write_bytes(msgspec.json.encode(wanted))
    for number, one in enumerate(wanted):
        place = folder / f"{number:03d}"
        if place.exists():
            continue
        place.mkdir()
        write_answer(place, answer(ChildRequest(parent=parent, specs=(one.spec,), settings=one.settings), place))
    leave()


def prepared_models(folder: Path, only: Sequence[str]) -> Iterator[tuple[Wanted, ChildAnswer]]:
    """Every model's answer; a child that dies is started again after the model that it died of."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(folder), str(os.getpid()), "--only", *only]
    tried = -1
    while True:
        with (folder / "log").open("ab") as log:
            child = subprocess.run(command, env=child_environment(os.environ), stdout=log, stderr=log, check=False)
        done = len(list(folder.glob("[0-9]*")))
        if child.returncode == 0 or done == tried:
            break
        tried = done
    if not (folder / CASES_FILE).exists():
        raise SystemExit(f"the child made no list of models:\n{(folder / 'log').read_text()[-3000:]}")
    wanted = msgspec.json.decode((folder / CASES_FILE).read_bytes(), type=list[Wanted])
    for number, one in enumerate(wanted):
        place = folder / f"{number:03d}"
        file = place / ANSWER_FILE
        if not file.exists():
            yield one, ChildAnswer(error=ChildError(kind="bug", text="the child process died"))
            continue
        yield one, with_paths(msgspec.json.decode(file.read_bytes(), type=ChildAnswer), place)


def converted(one: Wanted, answer: ChildAnswer, folder: Path) -> Converted:
    """What became of a model."""
    if answer.prepared is None:
        why = answer.error or ChildError(kind="bug", text="no answer")
        return Converted(
            group=one.group, name=one.name, failed=Failure(status="failed", reason=why.text), error=why.kind
        )
    prepared = answer.prepared
    failure = prepared.failures.get("onnx")
    if failure is not None:
        return Converted(group=one.group, name=one.name, failed=failure, truth=prepared.truth)
    verdict, reason, error = verified(one, prepared, folder)
    return Converted(
        group=one.group, name=one.name, truth=prepared.truth, verdict=verdict, reason=reason, relative_error=error
    )


def verified(one: Wanted, prepared: Prepared, folder: Path) -> tuple[str, str, float | None]:
    """Verdict, reason and error of the file in a worker of ONNX Runtime, as ``bench verify`` has them."""
    (runtime,) = parse_runtimes(["onnxruntime-cpu"])
    batch = plan.fixed_batch(prepared.artifacts["onnx"]) or 1
    case = make_case(one.spec, runtime, batch, threads=1)
    arm = make_arm(case, prepared, pool_shapes({prepared.model: prepared}))
    if not isinstance(arm, Arm):
        return "unchecked", arm.reason, None
    done = Repetition(
        [arm],
        ProcessLauncher(folder),
        MeasureSettings(),
        folder,
        check=make_checker(prepared, Tolerance()),
        merge=merge_checks,
        on_turn=lambda _: None,
    ).verify(0)
    (result,) = done.cases
    worst = worst_check(result.checks)
    return (
        case_verdict(result.checks),
        worst.reason if worst else result.reason,
        worst.relative_error if worst else None,
    )


def main(arguments: Sequence[str]) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "PARENT"))
    asked = parser.parse_args(arguments)
    if asked.child:
        prepare_in_child(Path(asked.child[0]), int(asked.child[1]), asked.only)
    start, versions, rows = time.monotonic(), dict[str, str](), []
    with tempfile.TemporaryDirectory(prefix="conversion-table-") as made, run_folder() as folder:
        for one, answer in prepared_models(Path(made), asked.only):
            rows.append(converted(one, answer, folder))
            versions |= answer.prepared.versions if answer.prepared else {}
    text = table_text(rows, versions, time.monotonic() - start)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")
    return int(any(not row_of(row).explained for row in rows))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
