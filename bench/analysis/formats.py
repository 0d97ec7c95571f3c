"""What a row's number format gives to say: instruction sets that matter, saturation, a file that lost much. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from bench.analysis.budget import TOLD
from bench.analysis.doubts import joined
from bench.records import Artifact, Case, Caution
from bench.rows import Row

_TELLING = (  # of the processor, those that change results or speed of int8 and float16
    "avx2", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16",
    "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
_X86 = {"sse4_2", "avx", "avx2", "avx512f"}
_EXACT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}  # u8 x s8 summed in 32 bits, not in saturating 16
_SATURATE = ("onnxruntime-cpu", "onnxruntime-openvino", "openvino")  # whose x86 kernels multiply u8 by s8
_NVIDIA = ("onnxruntime-cuda", "onnxruntime-tensorrt", "onnxruntime-nvtensorrtrtx")


def with_formats(row: Row, case: Case, artifact: Artifact | None, isa: Collection[str]) -> Row:
    """The row with the instruction sets of the processor, and the doubts that its number format brings."""
    told = joined([*_saturation(case, artifact, isa), *_lossy(row), *_tf32(row, case), *_of_artifact(artifact)])
    return msgspec.structs.replace(
        row,
        isa=" ".join(name for name in _TELLING if name in isa) or None,
        cautions="; ".join(text for text in (row.cautions, told) if text),
    )


def _saturation(case: Case, artifact: Artifact | None, isa: Collection[str]) -> Iterator[Caution]:
    """Pairs of u8 x s8 products are summed in saturating 16 bits: 255 x 127 x 2 does not fit."""
    if artifact is None or not artifact.has_integer_products or case.runtime.name not in _SATURATE:
        return
    if not _X86 & set(isa) or _EXACT_PRODUCTS & set(isa) or case.runtime.options.get("quantprecision") == "exact":
        return
    way_on = ": quantprecision=exact computes them right" if case.runtime.name == "onnxruntime-cpu" else ""
    yield Caution(
        code="saturation",
        text=f"u8 x s8 products saturate on this CPU, which has no VNNI, and differ from other machines'{way_on}",
    )


def _lossy(row: Row) -> Iterator[Caution]:
    if row.agreement == "agrees" and (row.conversion_error or 0.0) > TOLD:
        lost = f"the {row.precision} file itself is {row.conversion_error:.2g} of the spread off (rms)"
        top = "" if row.top1_agreement is None else f", {row.top1_agreement:.0%} of items keep their top class"
        yield Caution(code="lossy", text=f"{lost}{top}, whatever runs it: try it on data of your own")


def _tf32(row: Row, case: Case) -> Iterator[Caution]:
    """Left alone, NVIDIA's libraries round the operands of float32 products to 10 bits (Ampere and newer)."""
    is_rounded = case.runtime.name in _NVIDIA and case.runtime.options.get("use_tf32") != "0"
    if is_rounded and row.precision == "float32" and row.agreement == "disagrees":
        yield Caution(code="tf32", text="its products may have been rounded to TF32: compare with use_tf32=0")


def _of_artifact(artifact: Artifact | None) -> Iterator[Caution]:
    yield from artifact.cautions if artifact else ()
