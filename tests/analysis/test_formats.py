"""Cautions about number formats: the processor's instruction sets decide, both ways."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bench.analysis.formats import with_formats
from bench.records import Artifact, Caution, RuntimeSpec
from bench.rows import Row
from fakes import artifact, case

AVX2 = ("sse4_2", "avx", "avx2", "fma", "f16c")
VNNI = (*AVX2, "avx512f", "avx512_vnni")
INT8 = artifact(precision="int8", has_integer_products=True)


def told(
    isa: Sequence[str] = AVX2, artifact: Artifact | None = INT8, name: str = "onnxruntime-cpu", **options: str
) -> Row:
    spec = RuntimeSpec(text=name, name=name, display=name, options=options)
    asked = replace(case(), runtime=spec)
    return with_formats(row(), asked, artifact, isa)


def row(**changes: object) -> Row:
    fields: dict[str, object] = {"case_id": "c", "model": "m", "runtime": "r", "batch_size": 1, "threads": 1}
    return Row(**(fields | changes))  # type: ignore[arg-type]


def test_saturation_is_told_with_the_way_out_where_there_is_no_vnni() -> None:
    cautions = told().cautions
    assert cautions.startswith("saturation: u8 x s8 products saturate on this CPU, which has no VNNI")
    assert cautions.endswith("quantprecision=exact computes them right")


@pytest.mark.parametrize("flag", ["avx512_vnni", "avx_vnni", "amx_int8"])
def test_it_is_not_told_where_products_are_exact(flag: str) -> None:
    assert told((*AVX2, flag)).cautions == ""


def test_it_is_not_told_where_exactness_was_asked_for() -> None:
    assert told(quantprecision="exact").cautions == ""
    assert "saturation" in told(quantprecision="fast").cautions


def test_it_is_not_told_of_floats_nor_on_arm_nor_of_kernels_that_do_not_saturate() -> None:
    assert told(artifact=artifact()).cautions == ""
    assert told(("asimddp", "i8mm")).cautions == ""
    assert told(name="litert").cautions == ""


def test_a_users_own_quantised_file_has_it_too() -> None:
    assert "saturation" in told(artifact=artifact(has_integer_products=True)).cautions


def test_openvino_has_no_way_out() -> None:
    assert "saturation" in told(name="openvino").cautions
    assert "exact" not in told(name="openvino").cautions


def test_every_row_says_what_of_the_processor_matters() -> None:
    assert told(VNNI).isa == "avx2 f16c avx512f avx512_vnni"
    assert told((), artifact()).isa is None


def test_a_file_that_lost_much_is_told_though_it_agrees() -> None:
    lossy = row(agreement="agrees", precision="int8", conversion_error=0.15, top1_agreement=0.875)
    assert with_formats(lossy, case(), None, ()).cautions.startswith(
        "lossy: the int8 file itself is 0.15 of the spread off (rms), 88% of items keep their top class"
    )
    assert with_formats(replace(lossy, conversion_error=0.05), case(), None, ()).cautions == ""
    assert with_formats(replace(lossy, agreement="disagrees"), case(), None, ()).cautions == ""


def test_float32_on_nvidia_that_disagrees_may_be_tf32() -> None:
    wrong = row(agreement="disagrees")
    cuda = replace(case("onnxruntime-cuda"), runtime=RuntimeSpec(text="", name="onnxruntime-cuda", display=""))
    assert with_formats(wrong, cuda, None, ()).cautions.startswith("tf32: ")
    off = replace(cuda, runtime=replace(cuda.runtime, options={"use_tf32": "0"}))
    assert with_formats(wrong, off, None, ()).cautions == ""
    assert with_formats(row(agreement="agrees"), cuda, None, ()).cautions == ""


def test_cautions_of_the_file_join_those_of_the_row() -> None:
    file = artifact(cautions=(Caution(code="file", text="doubt"),))
    assert with_formats(row(cautions="a: b"), case(), file, ()).cautions == "a: b; file: doubt"
