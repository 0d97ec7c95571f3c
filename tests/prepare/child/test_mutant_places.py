import numpy as np
from onnx import ModelProto, helper, numpy_helper

from bench.prepare.child.mutants import layers, places
from bench.prepare.child.mutants.surgery import Array, constant, nodes_of
from bench.prepare.child.mutants.table import MUTANTS
from bench.prepare.child.onnx_run import open_as_deployed
from mutant_networks import image_network, pictures_network, pool_of, words_network

PICTURES, WORDS = pictures_network(), words_network()
INPUTS = pool_of(PICTURES)


def outputs_of(model: ModelProto, pool: dict[str, Array] = INPUTS) -> dict[str, Array]:
    return open_as_deployed(model.SerializeToString())(pool)


def mutant(kind: str, model: ModelProto) -> ModelProto:
    made = MUTANTS[kind](model)
    assert made is not None
    return made


def pictures_answers(kind: str) -> tuple[dict[str, Array], dict[str, Array]]:
    return outputs_of(PICTURES), outputs_of(mutant(kind, PICTURES))


def test_of_several_inputs_and_outputs_two_are_exchanged() -> None:
    right, wrong = pictures_answers("outputs swapped")
    np.testing.assert_array_equal(wrong["large"], right["small"])
    np.testing.assert_array_equal(wrong["small"], right["large"])
    swapped = outputs_of(PICTURES, {"left": INPUTS["right"], "right": INPUTS["left"]})
    np.testing.assert_allclose(pictures_answers("inputs swapped")[1]["large"], swapped["large"], rtol=1e-6)


def test_parts_of_an_attention_are_found_by_what_they_do() -> None:
    without = mutant("attention's mask dropped", WORDS)
    assert [list(node.input) for node in nodes_of(without, "Identity")] == [["scaled"]]
    assert [list(node.input) for node in nodes_of(mutant("attention's scale dropped", WORDS), "Identity")] == [
        ["products"]
    ]
    mixed = {t.name: numpy_helper.to_array(t) for t in mutant("attention's heads mixed", WORDS).graph.initializer}
    query = next(numpy_helper.to_array(t) for t in WORDS.graph.initializer if t.name == "query")
    np.testing.assert_array_equal(mixed["query"], np.roll(query, 4, 1))
    assert layers.attention(image_network()) is None
    assert MUTANTS["attention's mask dropped"](image_network()) is None


def test_a_recurrence_in_a_loop_is_found_by_the_shapes_of_its_weights() -> None:
    rng = np.random.default_rng(8)
    values = {"bias": (2, 21), "recurrent": (7, 21), "kernel": (5, 21), "steps": (1,)}
    loop = helper.make_node("Loop", ["", "", *values], ["out"])
    graph = helper.make_graph(
        [loop],
        "loop",
        [],
        [],
        [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in values.items()],
    )
    found = layers.recurrent_weights(helper.make_model(graph), loop)
    assert found == {"recurrent": (3, -1, 7), "bias": (2, -1, 7), "kernel": (4, -1, 7)}


def test_weights_inside_loops_and_constant_nodes_are_weights() -> None:
    kernel = numpy_helper.from_array(np.eye(3, dtype=np.float32), "value")
    body = helper.make_graph([helper.make_node("MatMul", ["x", "k"], ["z"])], "body", [], [])
    nodes = [
        helper.make_node("Constant", [], ["k"], value=kernel),
        helper.make_node("If", ["choice"], ["y"], then_branch=body, else_branch=body),
    ]
    model = helper.make_model(helper.make_graph(nodes, "branch", [], []))
    first = places.first_kernel(model)
    assert first is not None
    np.testing.assert_array_equal(constant(model, first, 1), np.eye(3))
    changed = MUTANTS["first kernel times 1.01"](model)
    assert changed is not None
    assert len(changed.graph.initializer) == 1  # one branch reads another constant now, the other keeps its own
