"""What prepare's parent and its child tell one another, as JSON files in the child's folder.

Imported by both, so it imports nothing but records and msgspec.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bench.records import (
    Artifact,
    ArtifactKind,
    ModelFacts,
    ModelSpec,
    Precision,
    Prepared,
    PrepareSettings,
    Record,
)

REQUEST_FILE = "request.json"
ANSWER_FILE = "answer.json"
STAGES_FILE = "stages"  # one line a stage, written when it begins

ErrorKind = Literal["option", "usage", "unsupported", "unavailable", "failed", "bug"]


class WantedVariant(Record, frozen=True):
    """Another form of a model that was prepared before; its paths are absolute."""

    prepared: Prepared
    kind: ArtifactKind
    precision: Precision


class Variant(Record, frozen=True):
    """What was made of it."""

    model: str  # ModelSpec.display when it was made, and the artifact's key
    artifact: Artifact


class ChildRequest(Record, frozen=True):
    """Prepare the one model in the child's folder, describe all of them, or make another form of the one."""

    parent: int  # process id: a child without this parent ends
    specs: tuple[ModelSpec, ...]
    settings: PrepareSettings
    describe: bool = False
    variant: WantedVariant | None = None


class ChildError(Record, frozen=True):
    """Why the child has no answer."""

    kind: ErrorKind
    text: str


class TaskRequest(Record, frozen=True):
    """What a task's child is asked; ``value`` is the task's own record, as JSON."""

    parent: int  # process id: a child without this parent ends
    doing: str  # what an error's line begins with
    value: msgspec.Raw


class TaskAnswer(Record, frozen=True):
    """Its answer: the task's own record as JSON, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"null")  # of the union with None msgspec decodes nothing but null
    error: ChildError | None = None


class ChildAnswer(Record, frozen=True):
    """Exactly one of the first four is there. Paths of files are relative to the child's folder."""

    prepared: Prepared | None = None
    facts: tuple[ModelFacts, ...] | None = None
    variant: Variant | None = None
    error: ChildError | None = None
    # other files that the model is made of: way from the model's folder -> sha256
    dependencies: dict[str, str] = msgspec.field(default_factory=dict)
