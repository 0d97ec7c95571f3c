"""Options and marks of a test -> the cases of ``runtime_benchmark``. Imports no runtime and no numpy.

A mark speaks the command line's language: its keywords are the flags of ``bench run`` by name, but for those that say
how to measure, which pytest-benchmark has options of its own for. What a test's mark says wins over an option.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bench.errors import UsageError
from bench.flags import Flags, at_least, parse_batches, parse_flags
from bench.records import ModelSpec, RuntimeSpec, Suite
from bench.runtimes.table import artifact_kind
from bench.spec_braces import split_commas
from bench.specs import ALL, DEFAULT_RUNTIMES, parse_models, parse_runtimes
from bench.suite import Mistakes, build_suite

_MEASURING = ("quick", "thorough", "calls", "seconds", "tail", "time_limit")
_ALLOWED = tuple(name for name in Flags.__struct_fields__ if name not in (*_MEASURING, "model"))
_SEVERAL = (  # of texts
    "runtime", "input_shapes", "input_range", "onnx_names", "litert_names", "custom_objects", "rtol", "atol",
)  # fmt: skip


class Given(NamedTuple):
    """Options of the plugin, as typed."""

    models: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    batch: str | None = None
    threads: int | None = None


class SessionCase(NamedTuple):
    """One model on one runtime, and everything else that was asked for."""

    model: ModelSpec
    runtime: RuntimeSpec
    batch_size: int
    suite: Suite  # of all cases that were asked for together

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from the others of its test."""
        return self.model.display, self.runtime.display, self.batch_size


Mark = tuple[Sequence[Any], Mapping[str, Any]]  # what a mark was given


def check_given(given: Given) -> None:
    """UsageError with every mistake among the options, a line each."""
    mistakes = Mistakes()
    for text in split_models(given.models):
        mistakes.attempt(lambda text=text: parse_models(text), "--bench-models")  # type: ignore[misc]
    mistakes.attempt(lambda: parse_runtimes(given.runtimes), "--bench-runtimes")
    mistakes.attempt(lambda: parse_batches(given.batch) if given.batch is not None else (), "--bench-batch")
    mistakes.attempt(lambda: at_least("--bench-threads", given.threads, 1))
    mistakes.raise_any()


def ask_for(marks: Sequence[Mark], given: Given) -> list[SessionCase]:
    """The cases of a test with these marks, the innermost mark first; none where neither names a model.

    Marks without a model change what the next one outside, or the options, ask for. Raises UsageError for what can't
    be meant.
    """
    asked: list[Flags] = []
    rest: dict[str, Any] = {}
    for models, keywords in marks:
        _check_mark(models, keywords)
        if models:
            asked.append(_flags(models, {**keywords, **rest}, given))
        else:
            rest = {**keywords, **rest}
    if not asked and given.models:
        asked.append(_flags(split_models(given.models), rest, given))
    cases = [case for flags in asked for case in _cases(flags)]
    twice = _repeated([case.key for case in cases])
    if twice:
        raise UsageError(f"{' on '.join(map(str, twice[:2]))} is asked for twice; tell them apart with a #LABEL")
    return cases


def readable_id(case: SessionCase) -> str:
    """``mobilenet_v1-onnxruntime-cpu``, and the batch where it is more than 1."""
    batch = f"-batch{case.batch_size}" if case.batch_size > 1 else ""
    return f"{case.model.display}-{case.runtime.display}{batch}"


def split_models(texts: Iterable[str]) -> list[str]:
    """One text a model: after a comma, ``key=value`` continues the model before it."""
    models: list[str] = []
    for piece in (part.strip() for text in texts for part in split_commas(text)):
        before, equals, _ = piece.partition("=")
        if equals and models and not set(before) & {":", "/"}:
            models[-1] += f"{',' if ':' in models[-1] else ':'}{piece}"
        else:
            models.append(piece)
    return models


def _check_mark(models: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    wrong = [repr(model) for model in models if not isinstance(model, str)]
    if wrong:
        raise UsageError(f"bench_model({', '.join(wrong)}): a model is a text, such as 'mobilenet_v1:alpha=0.25'")
    for name in keywords:
        if name in _MEASURING:
            raise UsageError(f"bench_model({name}=...): pytest-benchmark times here; see its --benchmark-* options")
        if name not in _ALLOWED:
            raise UsageError(f"bench_model({name}=...): expected one of {', '.join(_ALLOWED)}")


def _flags(models: Sequence[str], keywords: Mapping[str, Any], given: Given) -> Flags:
    said = {name: _typed(name, value) for name, value in keywords.items() if value is not None}
    return Flags(
        **{
            "runtime": given.runtimes,
            "batch": given.batch,
            "threads": given.threads or 1,
            **said,
            "model": tuple(models),
        }
    )


def _typed(name: str, value: Any) -> Any:
    """A keyword as the command line would have it: several texts as a tuple, a batch as text."""
    if name in _SEVERAL:
        return (str(value),) if isinstance(value, (str, int, float)) else tuple(map(str, value))
    if name == "batch" and not isinstance(value, str):
        return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return str(value) if name in ("load_inputs", "onnx", "signature") else value


def _cases(flags: Flags) -> list[SessionCase]:
    from bench.runtimes.probing import usable_runtimes

    asked = parse_flags(flags, usable_runtimes)
    suite = build_suite(asked, cpus=1, default_runtimes=parse_runtimes(DEFAULT_RUNTIMES))
    return [
        SessionCase(model, runtime, batch_size, suite)
        for model in suite.models
        for runtime in suite.runtimes
        if _is_meant(model, runtime, suite)
        for batch_size in suite.batch_sizes[model.display]
    ]


def _is_meant(model: ModelSpec, runtime: RuntimeSpec, suite: Suite) -> bool:
    """Whether a runtime that nobody named can load the model; one that was named is tried."""
    named = not suite.defaulted_runtimes and runtime.text != ALL
    return named or model.kind != "onnx" or artifact_kind(runtime.name, runtime.options) == "onnx"


def _repeated(keys: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return next((key for i, key in enumerate(keys) if key in keys[:i]), ())
