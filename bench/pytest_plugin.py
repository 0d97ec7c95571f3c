"""pytest's way in: the fixture ``runtime_benchmark``, its options and its mark.

Loaded by every pytest of an environment that has bench: imports nothing but pytest until a test asks for the fixture,
and touches no other test. ``pytest_cases.py`` says what is asked for, ``pytest_session.py`` opens and judges it, and
``pytest_fixture.py`` is what a test gets.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench.pytest_cases import Given, SessionCase
    from bench.pytest_fixture import RuntimeBenchmark
    from bench.records import Failure, Prepared

FIXTURE = "runtime_benchmark"
MARK = "bench_model"
_PARAMETERS = ("bench_model", "bench_runtime", "bench_batch")
_TYPED = ("bench_models", "bench_runtimes", "bench_batch", "bench_threads")
_NO_MODEL = "no model: name one with --bench-models, or on the test with @pytest.mark.bench_model('mobilenet_v1')"
_MISSING = (
    "runtime_benchmark times with pytest-benchmark's fixture, which is not loaded here; install pytest-benchmark, "
    "or leave out -p no:benchmark (--benchmark-disable verifies without timing)"
)
_CASES: pytest.StashKey[dict[tuple[str, str, str, int], SessionCase]] = pytest.StashKey()
_PREPARED: pytest.StashKey[MutableMapping[Any, Prepared | Failure]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the fixture, none of which does anything to a test without it."""
    group = parser.getgroup("bench", "models on runtimes (onnx-crossbench)")
    group.addoption(
        "--bench-models",
        action="append",
        metavar="MODELS",
        help="models of runtime_benchmark, a comma list or repeated, for tests that name none by "
        "@pytest.mark.bench_model",
    )
    group.addoption(
        "--bench-runtimes",
        action="append",
        metavar="RUNTIMES",
        help="runtimes of runtime_benchmark, written as for `bench run -e`; default tensorflow,onnxruntime-cpu, for an "
        ".onnx ONNX Runtime alone",
    )
    group.addoption("--bench-batch", metavar="SIZES", help="batch sizes of runtime_benchmark, such as 1,8; default 1")
    group.addoption("--bench-threads", type=int, metavar="N", help="threads of every runtime; default 1")
    group.addoption(
        "--bench-require",
        action="store_true",
        default=False,
        help="fail where a runtime is not there, instead of skipping the test",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The mark made known, and what was typed checked before anything is collected."""
    config.addinivalue_line(
        "markers",
        "bench_model(*models, **flags): models of runtime_benchmark, and flags of `bench run` by name, such as "
        "runtime='cpu', rtol='1e-3', load_inputs='images'",
    )
    if any(config.getoption(name) is not None for name in _TYPED):
        from bench.errors import UsageError
        from bench.pytest_cases import check_given

        try:
            check_given(_given(config))
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every model of the test on every runtime at every batch size."""
    if FIXTURE not in metafunc.fixturenames:
        return
    if not metafunc.config.pluginmanager.hasplugin("benchmark"):
        pytest.fail(_MISSING, pytrace=False)
    from bench.errors import UsageError
    from bench.pytest_cases import ask_for, readable_id

    marks = [(mark.args, mark.kwargs) for mark in metafunc.definition.iter_markers(MARK)]
    try:
        cases = ask_for(marks, _given(metafunc.config))
    except UsageError as error:
        pytest.fail(f"{metafunc.definition.nodeid}: {error}", pytrace=False)
    known = metafunc.config.stash.setdefault(_CASES, {})
    known.update({(metafunc.definition.nodeid, *case.key): case for case in cases})
    if cases:
        metafunc.parametrize(_PARAMETERS, [case.key for case in cases], ids=[readable_id(case) for case in cases])
    else:
        nothing = pytest.param("", "", 1, marks=pytest.mark.skip(reason=_NO_MODEL), id="no-model")
        metafunc.parametrize(_PARAMETERS, [nothing])


@pytest.fixture
def bench_model(request: pytest.FixtureRequest) -> str:
    """The model of this test, in canonical form."""
    return str(request.param)


@pytest.fixture
def bench_runtime(request: pytest.FixtureRequest) -> str:
    """The runtime of this test, in canonical form."""
    return str(request.param)


@pytest.fixture
def bench_batch(request: pytest.FixtureRequest) -> int:
    """Items in one call."""
    return int(request.param)


@pytest.fixture
def runtime_benchmark(
    request: pytest.FixtureRequest, benchmark: Any, bench_model: str, bench_runtime: str, bench_batch: int
) -> Iterator[RuntimeBenchmark]:
    """A model on a runtime, verified at its first use and before anything is timed: ``runtime_benchmark()`` times it.

    Fails where outputs do not agree with the truth, or where that can't be told; skips where the runtime is not there,
    unless --bench-require is given. Without a model the test is skipped.
    """
    from bench.pytest_fixture import RuntimeBenchmark

    config, item = request.config, request.node
    case = config.stash[_CASES][f"{item.parent.nodeid}::{item.originalname}", bench_model, bench_runtime, bench_batch]
    made = RuntimeBenchmark(
        case,
        benchmark,
        kept=config.stash.setdefault(_PREPARED, {}),
        require=bool(config.getoption("bench_require")),
        on_doubt=lambda text: item.warn(pytest.PytestWarning(text)),
    )
    yield made
    made.close()


def _given(config: pytest.Config) -> Given:
    from bench.pytest_cases import Given

    return Given(
        models=tuple(config.getoption("bench_models") or ()),
        runtimes=tuple(config.getoption("bench_runtimes") or ()),
        batch=config.getoption("bench_batch"),
        threads=config.getoption("bench_threads"),
    )
