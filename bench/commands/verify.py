"""``bench verify``."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.report_folder import claimed_folder
from bench.commands.verify_sentence import verdict_sentence
from bench.commands.verify_text import agreement_text, explanation_text
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Suite
from bench.verifying import JudgedCase, JudgedModel, Verified

_ROW_FIELDS = (
    *("case_id", "runtime", "runtime_spec", "runtime_version", "batch_size", "precision", "status", "status_reason"),
    *("agreement", "agreement_reason", "relative_error", "precision_error", "tolerance"),
)


def verify_models(
    flags: Flags, *, suite_file: Path | None, out: Path | None, as_json: bool, console: Console, progress: Progress
) -> int:
    """Print what each model's outputs are worth; returns 0 agrees, 3 disagrees, 5 cannot tell, 6 a case failed."""
    suite = resolve_suite(flags, suite_file, console)

    from bench.verifying import verify_suite

    claim: AbstractContextManager[Path | None] = nullcontext()
    if out is not None:
        claim = claimed_folder(out, suite.models, datetime.now(UTC))
    with claim as folder:
        result = verify_suite(suite, progress=progress, out=folder)
    progress.done()
    console.say(verified_json(result, suite) if as_json else verified_text(result, suite))
    if folder is not None:
        console.warn(f"outputs: {folder}")
    return result.exit_code


def verified_text(result: Verified, suite: Suite) -> str:
    """A sentence for each model, the table of verdicts, then what explains them, model by model."""
    sentences = [verdict_sentence(judged, suite.prepare) for judged in result.models]
    parts = ["\n".join(sentences), agreement_text(result.rows, suite.tolerance)]
    for judged in result.models:
        text = explanation_text(judged)
        heading = f"{judged.spec.display}\n" if len(result.models) > 1 and text else ""
        parts.append(heading + text)
    return "\n\n".join(part for part in parts if part)


def verified_json(result: Verified, suite: Suite) -> str:
    """Everything that was found."""
    models = [_model_values(judged, suite) for judged in result.models]
    return json.dumps({"exit_code": result.exit_code, "models": models}, indent=2, ensure_ascii=False)


def _model_values(judged: JudgedModel, suite: Suite) -> dict[str, Any]:
    return {
        "model": judged.spec.display,
        "verdict": verdict_sentence(judged, suite.prepare),
        "truth": judged.truth,
        "cautions": [_plain(caution) for caution in judged.cautions],
        "cases": [_case_values(case) for case in judged.cases],
        "apart": [{"runtimes": list(pair), "distance": _plain(distance)} for pair, distance in judged.apart.items()],
    }


def _case_values(case: JudgedCase) -> dict[str, Any]:
    row = case.row
    chains = {one.output: one for one in case.chain}
    checks = {check.output: check for check in case.checks}
    outputs = [
        {"output": name, **_named(checks.get(name)), "whose_error": _plain(chains.get(name))}
        for name in dict.fromkeys([*checks, *chains])
    ]
    return {
        **{name: _plain(getattr(row, name)) for name in _ROW_FIELDS},
        "outputs": outputs,
        "findings": [_plain(finding) for finding in case.findings],
    }


def _named(record: Any) -> dict[str, Any]:
    return dict(_plain(record)) if record is not None else {}


def _plain(value: Any) -> Any:
    """JSON's own values: NaN and infinities are null."""
    return json.loads(msgspec.json.encode(value))
