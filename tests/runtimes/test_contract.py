"""One suite for every runtime of the table: those that can be used here are opened, the others are skipped by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import pytest

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, ArtifactKind, Operator, Profiled, SessionSettings, Tensor
from bench.runtimes.contract import Array
from bench.runtimes.homes import why_not_here
from bench.runtimes.table import RUNTIMES, artifact_kind, boundary_of
from made_environments import LARGE, probe_of, require_usable
from session_server import RemoteSession, SessionServer

Models = Callable[[str, ArtifactKind], Artifact]

BATCH = 2
WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2) / 7
LEFT = np.array([[1, -2, 3], [0.5, 4, -1]], np.float32)
RIGHT = np.array([[2, 5, -1], [0.25, -3, 8]], np.float32)
EXPECTED = {"zeta": LEFT @ WEIGHTS, "alpha": LEFT * RIGHT + 1, "mid": np.maximum(LEFT - RIGHT, 0)}


class StartServer(Protocol):
    def __call__(self, prefix: Path | None = None) -> SessionServer: ...


@dataclass(frozen=True)
class Bed:
    """A runtime under test: its name, its artifacts, and a process in which it runs with two threads."""

    name: str
    models: Models
    server: SessionServer
    options: dict[str, str]  # that it always has, of a call path or a boundary
    prefix: Path | None  # of the environment that it lives in; None: that of the tests

    @property
    def kind(self) -> ArtifactKind:
        return artifact_kind(self.name, self.options)

    def open(
        self, settings: SessionSettings, model: str = "three", server: SessionServer | None = None
    ) -> RemoteSession:
        options = self.options | settings.options
        settings = msgspec.structs.replace(settings, options=options, boundary=boundary_of(options))
        artifact = self.models(model, artifact_kind(self.name, settings.options))
        return (server or self.server).open(self.name, artifact, settings)


def _settings(
    *outputs: str,
    batch: int = BATCH,
    threads: int = 2,
    dtype: str = "float32",
    inputs: tuple[str, ...] = ("left", "right"),
    options: dict[str, str] | None = None,
) -> SessionSettings:
    return SessionSettings(
        threads=threads,
        batch_size=BATCH,
        inputs=tuple(Tensor(name=name, shape=(BATCH, 3), dtype=dtype) for name in inputs),
        outputs=outputs or ("zeta", "alpha", "mid"),
        options=options or {},
    )


def _can_be_here(name: str) -> bool:
    """Whether it is worth while to make its environment and ask its probe."""
    entry = RUNTIMES[name]
    if why_not_here(name) is not None or name in LARGE:
        return False
    return bool(entry.requirements) or entry.provider in (None, "CPUExecutionProvider")


HERE = [name for name in RUNTIMES if _can_be_here(name)]
CALL_PATHS = [("tensorflow", {"path": path}) for path in RUNTIMES["tensorflow"].options["path"].values[1:]]
ON_DEVICE = [(name, {"boundary": "device"}) for name in HERE if "device" in RUNTIMES[name].boundaries]
TELLS_NO_OPERATORS = {("iree", None), ("tensorflow", "eager")}  # each says so in a sentence
BEDS: list[tuple[str, dict[str, str]]] = [*((name, {}) for name in HERE), *CALL_PATHS, *ON_DEVICE]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (name, options),
            marks=() if name == "onnxruntime-cpu" else pytest.mark.slow,
            id="-".join([name, *options.values()]),
        )
        for name, options in BEDS
    ],
)
def bed(request: pytest.FixtureRequest, models: Models, start_server: StartServer) -> Bed:
    name, options = request.param
    prefix = require_usable(name)
    return Bed(name, models, start_server(prefix), options, prefix)


@pytest.fixture(scope="module")
def session(bed: Bed) -> RemoteSession:
    return bed.open(_settings())


def _call(session: RemoteSession) -> dict[str, Array]:
    return dict(zip(("zeta", "alpha", "mid"), session.call(left=LEFT, right=RIGHT), strict=True))


def test_outputs_are_what_numpy_computes(session: RemoteSession) -> None:
    for name, output in _call(session).items():
        np.testing.assert_allclose(output, EXPECTED[name], rtol=1e-6)
        assert output.dtype == np.float32


def test_outputs_come_in_the_order_asked_for_and_no_others(bed: Bed) -> None:
    mid, zeta = bed.open(_settings("mid", "zeta")).call(left=LEFT, right=RIGHT)
    np.testing.assert_allclose(mid, EXPECTED["mid"], rtol=1e-6)
    np.testing.assert_allclose(zeta, EXPECTED["zeta"], rtol=1e-6)


def test_inputs_are_paired_by_name_whatever_their_order(bed: Bed) -> None:
    [alpha] = bed.open(_settings("alpha", inputs=("right", "left"))).call(right=RIGHT, left=LEFT)
    np.testing.assert_allclose(alpha, EXPECTED["alpha"], rtol=1e-6)


def test_a_call_gives_host_arrays_that_a_later_call_does_not_overwrite(session: RemoteSession) -> None:
    (first, second), _ = session.call_all([{"left": LEFT, "right": RIGHT}, {"left": RIGHT, "right": LEFT}])
    assert all(isinstance(output, np.ndarray) for output in first + second)
    np.testing.assert_allclose(first[2], EXPECTED["mid"], rtol=1e-6)
    np.testing.assert_allclose(second[2], np.maximum(RIGHT - LEFT, 0), rtol=1e-6)


def test_the_same_input_gives_the_same_bits(session: RemoteSession) -> None:
    feed = {"left": LEFT, "right": RIGHT}
    (first, second), _ = session.call_all([feed, feed])
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_inputs_are_left_as_they_were(session: RemoteSession) -> None:
    _, [after] = session.call_all([{"left": LEFT, "right": RIGHT}])
    np.testing.assert_array_equal(after["left"], LEFT)
    np.testing.assert_array_equal(after["right"], RIGHT)


def test_an_input_that_is_not_contiguous_counts_by_its_values(session: RemoteSession) -> None:
    [zeta, _, _] = session.call(left=np.asfortranarray(LEFT), right=np.repeat(RIGHT, 2, axis=1)[:, ::2])
    np.testing.assert_allclose(zeta, EXPECTED["zeta"], rtol=1e-6)


def test_the_batch_is_fixed_or_said_to_be_free(session: RemoteSession) -> None:
    recorded = session.info.effective_options
    said = recorded.get("fixed_dimensions", recorded.get("fixed_shapes", ""))
    assert str(BATCH) in said or recorded["shapes"] in ("free in the signature", "of each call")


def test_another_batch_is_refused_or_at_least_right(session: RemoteSession) -> None:
    three = np.ones((3, 3), np.float32)
    try:
        zeta, _, _ = session.call(left=three, right=three)
    except RuntimeError as error:
        assert "dimension" in str(error) or "shape" in str(error)  # noqa: PT017 - TensorFlow does not look at shapes
    else:
        np.testing.assert_allclose(zeta, three @ WEIGHTS, rtol=1e-6)


def test_everything_that_was_set_is_recorded(bed: Bed, session: RemoteSession) -> None:
    recorded = session.info.effective_options
    assert set(RUNTIMES[bed.name].options) <= set(recorded)
    assert recorded["intra_op_threads"] == "2"
    assert recorded.get("inter_op_threads", "1") == "1"  # some have no such pool
    assert session.info.runtime_version
    assert session.info.runtime_file.endswith(".py")
    assert session.info.call_path


def test_all_nodes_are_on_what_was_asked_for(bed: Bed, session: RemoteSession) -> None:
    if bed.kind == "litert":
        pytest.skip("LiteRT tells how many parts of a graph its delegate took, of how many nodes it does not tell")
    assert session.info.node_share == 1


def test_a_second_thread_is_one_more_thread(bed: Bed, start_server: StartServer) -> None:
    counts = []
    for threads in (1, 2):
        server = start_server(bed.prefix)
        session = bed.open(_settings(threads=threads), server=server)
        session.call(left=LEFT, right=RIGHT)
        assert session.info.effective_options["intra_op_threads"] == str(threads)
        counts.append(server.ask("task_count"))
    two_pools = bed.name == "tensorflow-xla" or RUNTIMES[bed.name].threads_key  # XLA's or the provider's own as well
    assert counts[1] - counts[0] == (2 if two_pools else 1)


def test_closing_twice_is_fine_and_a_closed_session_says_so(bed: Bed) -> None:
    session = bed.open(_settings())
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.call(left=LEFT, right=RIGHT)


def test_every_value_of_every_option_opens_or_says_why_not(bed: Bed) -> None:
    for key, option in RUNTIMES[bed.name].options.items():
        for value in option.values:
            try:
                session = bed.open(_settings(options={key: value}))
            except (UsageError, UnavailableError) as error:
                assert "fresh process" in str(error) or "use -x 1" in str(error)  # noqa: PT017 - most values open
                continue
            assert session.info.effective_options[key] == value
            np.testing.assert_allclose(_call(session)["mid"], EXPECTED["mid"], rtol=1e-6)


def test_an_unknown_option_is_refused_with_those_that_exist(bed: Bed) -> None:
    with pytest.raises(
        UsageError, match=f"unknown option 'nonsense'; it knows: .*{next(iter(RUNTIMES[bed.name].options))}"
    ):
        bed.open(_settings(options={"nonsense": "1"}))


def test_an_unknown_value_is_refused_with_those_that_exist(bed: Bed) -> None:
    key, option = next(iter(RUNTIMES[bed.name].options.items()))
    with pytest.raises(UsageError, match=f"{key}='nonsense' .* allowed: {', '.join(option.values)}"):
        bed.open(_settings(options={key: "nonsense"}))


def test_an_artifact_of_the_wrong_kind_is_refused(bed: Bed) -> None:
    other: ArtifactKind = "onnx" if bed.kind == "saved_model" else "saved_model"
    with pytest.raises(UsageError, match=f"loads {bed.kind} artifacts"):
        bed.server.open(bed.name, bed.models("three", other), _settings(options=bed.options))


def test_a_name_that_the_model_lacks_is_refused_with_those_it_has(bed: Bed) -> None:
    with pytest.raises(UnsupportedError, match=r"omega.*zeta"):
        bed.open(_settings("zeta", "omega"))


def test_a_model_that_is_not_there_is_an_error_of_ours(bed: Bed) -> None:
    nowhere = Artifact(kind=bed.kind, path="nowhere", digest="", size_bytes=1, inputs=(), outputs=())
    with pytest.raises(BenchError, match="nowhere"):
        bed.server.open(bed.name, nowhere, _settings(options=bed.options))


def test_half_precision_stays_half_precision(bed: Bed) -> None:
    if bed.kind == "litert":
        pytest.skip("LiteRT's converter makes no file with float16 inputs")
    settings = _settings("double", dtype="float16", inputs=("left",))
    try:
        session = bed.open(settings, "half")
    except UnsupportedError as error:
        pytest.skip(str(error))
    try:
        [double] = session.call(left=LEFT.astype(np.float16))
    except RuntimeError as error:  # a device without float16, which WebGPU finds out at the first call
        assert "device does not support it" in str(error)  # noqa: PT017
        pytest.skip(str(error))
    assert double.dtype == np.float16
    np.testing.assert_array_equal(double, (LEFT * 2).astype(np.float16))


def test_the_probe_that_calls_it_usable_names_its_version(bed: Bed, session: RemoteSession) -> None:
    assert probe_of(bed.name).version == session.info.runtime_version


def test_callers_at_once_get_their_own_outputs_or_are_refused(session: RemoteSession) -> None:
    feeds = [{"left": LEFT * k, "right": RIGHT} for k in (1, 2, 3)]
    try:
        outputs = session.call_at_once(feeds)
    except UnsupportedError as error:
        assert "--streams 1" in str(error)  # noqa: PT017 - most let several callers in
        assert not session.info.concurrent
        return
    assert session.info.concurrent
    for feed, output in zip(feeds, outputs, strict=True):
        np.testing.assert_allclose(output[1], feed["left"] * RIGHT + 1, rtol=1e-6)


def test_a_profile_accounts_for_its_kernels(bed: Bed) -> None:
    if RUNTIMES[bed.name].provider is None:
        pytest.skip("only ONNX Runtime's providers tell where their kernels ran")
    settings = _settings(options=bed.options)
    parts = bed.server.ask("profile", bed.name, bed.models("three", bed.kind), settings, {"left": LEFT, "right": RIGHT})
    assert {part.provider for part in parts} == {RUNTIMES[bed.name].provider}
    assert all(part.kernels and part.time_ns for part in parts)


@pytest.fixture(scope="module")
def planted(bed: Bed, start_server: StartServer) -> Profiled:
    """The operators of the net whose convolution ``heavy`` is the dear one; skips with the reason of who tells none."""
    settings = SessionSettings(
        threads=1,
        batch_size=BATCH,
        inputs=(Tensor(name="left", shape=(BATCH, 32, 32, 8), dtype="float32"),),
        outputs=("double",),
        options=bed.options,
        boundary=boundary_of(bed.options),
    )
    feed = {"left": np.random.default_rng(0).random((BATCH, 32, 32, 8), np.float32)}
    try:
        profiled = start_server(bed.prefix).ask("operators", bed.name, bed.models("planted", bed.kind), settings, feed)
    except (UnavailableError, UnsupportedError) as error:
        assert (bed.name, bed.options.get("path")) in TELLS_NO_OPERATORS, error  # noqa: PT017 - the others must tell
        pytest.skip(str(error))
    assert isinstance(profiled, Profiled)
    return profiled


def test_operators_account_for_every_call(planted: Profiled) -> None:
    names = [operator.name for operator in planted.operators]
    assert len(names) == len(set(names)) > 0
    assert planted.calls == len(planted.calls_ns) == 4
    assert all(len(operator.time_ns) == 4 and min(operator.time_ns) >= 0 for operator in planted.operators)
    for call, wall_ns in enumerate(planted.calls_ns):
        assert 0 < sum(operator.time_ns[call] for operator in planted.operators) <= wall_ns * 1.05


def test_the_dearest_operator_is_the_heavy_one_and_names_it(bed: Bed, planted: Profiled) -> None:
    dearest, *others = sorted(planted.operators, key=lambda one: -sum(one.time_ns))
    if not others:  # compiled to one kernel
        assert {"light", "heavy"} <= _layers(dearest)
        return
    if "device" in RUNTIMES[bed.name].boundaries:  # the host waits while it computes
        assert dearest.operator == "Wait"
        assert any("heavy" in _layers(one) for one in others)
    else:
        assert "heavy" in _layers(dearest)
        assert "light" not in _layers(dearest)
    assert any("light" in _layers(one) and "heavy" not in _layers(one) for one in others)


def _layers(operator: Operator) -> set[str]:
    """The parts of its origins' names without the numbers that Keras puts to them: a layer's is one of them."""
    return {re.sub(r"_\d+$", "", part) for name in operator.origins for part in re.split(r"[/:;]", name)}


@pytest.mark.parametrize("name", [name for name in RUNTIMES if name not in HERE])
def test_what_cannot_be_here_is_not_called_usable(name: str) -> None:
    probe = probe_of(name)
    assert probe.state != "usable"
    pytest.skip(f"{name}: {probe.state}, {probe.detail}")
