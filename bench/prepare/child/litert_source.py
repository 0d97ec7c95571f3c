"""A user's own LiteRT file, to be judged against the model. Runs in the child.

It is what LiteRT runs in place of a converted one. That its numbers are right is for others to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.errors import UnsupportedError
from bench.prepare.arrays import load_arrays
from bench.prepare.child.conversion import conversion_errors
from bench.prepare.child.litert_file import FILE
from bench.prepare.child.litert_interpreter import open_exactly, read_tensors
from bench.prepare.child.own_names import OwnFile, check_said, unfed
from bench.prepare.child.reference import Arrays, Run, run_pool
from bench.prepare.digests import file_digest
from bench.records import Artifact, Failure, Precision, Prepared


def user_litert(
    source: Path, names: Mapping[str, str], prepared: Prepared, precision: Precision, folder: Path
) -> Artifact | Failure:
    """The user's file, copied into ``folder``; a Failure where it does not load or can't be fed.

    ``names`` is from the file's names to the model's. ``precision`` is what the user says that the file is in: the
    budget that it is judged by. Raises UsageError for names that neither has.
    """
    content = source.read_bytes()
    try:
        run = open_exactly(content)
        inputs, outputs = read_tensors(content)
    except UnsupportedError as error:
        return Failure(status="unsupported", reason=f"{source.name}: {error}")
    own = OwnFile(file=source.name, flag="--litert-names", inputs=inputs, outputs=outputs, names=dict(names))
    pool, truth = load_arrays(prepared.pool), load_arrays(prepared.truth_file)
    check_said(own, (*pool, *truth))
    failure = unfed(own, run, prepared.inputs, pool, truth)
    if failure is not None:
        return failure
    path = folder / FILE
    path.write_bytes(content)
    return Artifact(
        kind="litert",
        path=str(path),
        digest=file_digest(path),
        size_bytes=len(content),
        inputs=inputs,
        outputs=outputs,
        names=dict(names),
        precision=precision,
        has_integer_products=precision == "int8",
        conversion_error={} if precision == "float32" else conversion_errors(prepared, _exactly(own, run, pool)),
    )


def _exactly(own: OwnFile, run: Run, pool: Arrays) -> Arrays:
    """The file's outputs over the pool, by the model's names; UnsupportedError where it does not run."""
    feed = {tensor.name: pool[own.names.get(tensor.name, tensor.name)] for tensor in own.inputs}
    try:
        outputs = run_pool(run, own.inputs, feed)
    except (RuntimeError, ValueError) as error:
        raise UnsupportedError(f"{own.file} does not run: {' '.join(str(error).split())}") from error
    return {own.names.get(name, name): rows for name, rows in outputs.items()}
