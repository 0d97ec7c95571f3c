"""What all records share. Imports nothing of ours."""

from __future__ import annotations

from typing import Literal

import msgspec

ModelKind = Literal["zoo", "keras", "builder", "keras_file", "h5", "saved_model", "onnx"]
ArtifactKind = Literal["saved_model", "onnx", "litert", "keras"]
Status = Literal["ok", "unavailable", "partial", "unsupported", "failed", "crashed", "timeout", "oom", "skipped"]
Verdict = Literal["agrees", "disagrees", "vacuous", "unchecked"]
TurnKind = Literal["warmup", "turn", "tail"]
Boundary = Literal["host", "device"]  # what a timed call takes and gives: host arrays, or tensors on the device
Precision = Literal["float32", "float16", "int8"]
BuildCache = Literal["miss", "hit"]
ProbeState = Literal["usable", "not installed", "no device", "other system", "broken"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, keyword-only, strict when decoded."""


class Caution(Record, frozen=True):
    """A doubt about a row, with its reason."""

    code: str  # short stable word: "contended", "few samples", ...
    text: str  # one sentence for a person
