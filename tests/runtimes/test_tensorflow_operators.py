from __future__ import annotations

from bench.runtimes.operators import Ran
from bench.runtimes.tensorflow_operators import Event, kernels_of, named_by_xla, origin_of
from bench.runtimes.xla_text import instructions

NS = 1000


def _event(name: str, start: int, end: int, kind: str = "Conv2D", *, is_xla: bool = False) -> Event:
    return Event(name, kind, start * NS, end * NS, is_xla)


CALLS = [Event("call", "", 0, 100 * NS), Event("call", "", 200 * NS, 300 * NS)]


def test_operations_are_told_by_call_and_those_outside_of_calls_are_not() -> None:
    threads = [CALLS, [_event("a", 10, 20), _event("b", 120, 130), _event("a", 210, 240)]]
    assert [(one.call, one.name, one.time_ns) for one in kernels_of(threads)] == [(0, "a", 10), (1, "a", 30)]


def test_an_operation_within_another_is_not_counted_twice() -> None:
    threads = [CALLS, [_event("while", 10, 90, "While"), _event("a", 20, 50), _event("b", 60, 70)]]
    assert {one.name: one.time_ns for one in kernels_of(threads)} == {"while": 40, "a": 30, "b": 10}


def test_threads_side_by_side_do_not_take_from_one_another() -> None:
    threads = [CALLS, [_event("a", 10, 50)], [_event("b", 20, 40)]]
    assert [(one.name, one.time_ns) for one in kernels_of(threads)] == [("a", 40), ("b", 20)]


def test_of_a_function_that_xla_compiled_its_kernels_are_told_and_not_the_function() -> None:
    threads = [CALLS, [_event("f", 5, 95, "f"), _event("dot.1", 10, 90, "dot", is_xla=True)]]
    assert [(one.name, one.time_ns) for one in kernels_of(threads)] == [("dot.1", 80)]


def test_an_origin_is_the_node_without_the_functions_that_call_its_own() -> None:
    inner = "StatefulPartitionedCall/StatefulPartitionedCall_1/net/conv/Conv2D"
    assert origin_of(inner, {"net/conv/Conv2D"}) == ("net/conv/Conv2D",)
    assert origin_of("net/conv/Conv2D-0-TransposeNHWCToNCHW-LayoutOptimizer", {"net/conv/Conv2D"}) == ()
    assert origin_of("net/conv/Conv2D", None) == ("net/conv/Conv2D",)
    assert origin_of("range", None) == ()


HLO = """HloModule m

%fused_computation.1 (p.1: f32[2]) -> f32[2] {
  %p.1 = f32[2]{0} parameter(0)
  %c.1 = f32[] constant(0), metadata={op_type="Relu" op_name="net/other/Relu"}
  %b.1 = f32[2]{0} broadcast(%c.1), dimensions={}, metadata={op_type="Relu" op_name="net/other/Relu"}
  %add.1 = f32[2]{0} add(%p.1, %b.1), metadata={op_type="BiasAdd" op_name="net/dense/BiasAdd"}
  ROOT %max.1 = f32[2]{0} maximum(%add.1, %b.1), metadata={op_type="Relu" op_name="net/relu/Relu"}
}

ENTRY %main (x.1: f32[2,3]) -> f32[2] {
  %x.1 = f32[2,3]{1,0} parameter(0), metadata={op_name="XLA_Args"}
  %dot.7 = f16[2,3]{1,0} dot(%x.1, %x.1), metadata={op_type="MatMul" op_name="a/MatMul;PartitionedCall/a/MatMul"}
  ROOT %add_max_fusion = f32[2]{0} fusion(%dot.7), kind=kLoop, calls=%fused_computation.1, metadata={op_name="net/relu/Relu"}
}
"""  # noqa: E501 - as XLA writes it


def test_a_fusion_is_of_all_that_it_fuses_but_for_its_constants() -> None:
    made = instructions(HLO)
    assert made["add_max_fusion"] == (("net/relu/Relu", "net/dense/BiasAdd"), 8)
    assert made["dot.7"] == (("a/MatMul", "PartitionedCall/a/MatMul"), 12)


def test_a_kernel_that_xlas_text_lacks_has_no_origin() -> None:
    ran = [Ran(0, name, name, "dot", "CPU", 1) for name in ("dot.7", "copy.9")]
    sized, origins = named_by_xla(ran, instructions(HLO))
    assert [one.output_bytes for one in sized] == [12, None]
    assert origins == {"dot.7": ("a/MatMul",)}
