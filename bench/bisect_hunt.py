"""One bisection of a model that was taken apart: the whole, the search, the part that is wrong alone, every layer.

Joins measure and analysis; decides nothing about numbers itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.analysis import bisection
from bench.analysis.agreement import case_verdict
from bench.analysis.bisection import Link, Search
from bench.bisect_depths import depths
from bench.bisect_part import Part, make_part, write_part
from bench.bisect_probes import Prober, badness
from bench.bisect_text import listed, readme_of
from bench.bisect_whole import WholeFile, whole_file
from bench.bisected import Bisected, Nearby, PartFacts
from bench.errors import BenchError
from bench.prepare.steps import tolerance
from bench.progress import Progress
from bench.records import OutputCheck


class Hunt:
    """One bisection in progress."""

    def __init__(self, prober: Prober, links: Sequence[Link], progress: Progress) -> None:
        """``links`` are those that the prober's chain was made of."""
        self.prober, self.links, self.progress = prober, links, progress
        self.taken, self.chain = prober.dissection, prober.chain
        self.n = len(self.chain.steps)
        self.most = bisection.most_runs(self.n)

    def run(self, *, every_layer: bool, keep: Path | None) -> Bisected:
        """The whole model, the search, the part; then every layer where that is asked for."""
        try:
            checks = self.prober.whole()
        except BenchError as error:
            return self._answer(verdict="failed", reason=str(error))
        wrong = tuple(_nearby(one.output, one) for one in checks if one.verdict == "disagrees")
        found, part = self._judged(checks, wrong)
        if every_layer:
            found = self._with_layers(found)
        found = msgspec.structs.replace(found, layers=depths(self.prober))
        if part is not None and keep is not None:
            found = _kept(found, part, keep)
        return found

    def _judged(self, checks: Sequence[OutputCheck], wrong: tuple[Nearby, ...]) -> tuple[Bisected, Part | None]:
        verdict = case_verdict(checks)
        if verdict == "agrees":
            return self._answer(verdict="nothing differs"), None
        self.progress.stage("searching")
        self.progress.start(self.most)
        search = bisection.search(self.n, self._probe, most=self.most - (self.n > 1), spent=self.prober.runner.runs)
        if search.verdict == "only as a whole":
            return self._only_as_a_whole(checks, wrong), None
        if search.bad in search.failed and not wrong:  # nothing was seen to be wrong
            found = self._only_as_a_whole(checks, wrong)
            return msgspec.structs.replace(found, cautions=_cautions(search)), None
        self.progress.stage("cutting out what is wrong")
        return self._located(search, wrong)

    def _probe(self, length: int) -> bisection.Answer:
        answer = self.prober(length)
        self.progress.advance(answer.runs, f"{length} of {self.n} layers")
        return answer

    def _only_as_a_whole(self, checks: Sequence[OutputCheck], wrong: tuple[Nearby, ...]) -> Bisected:
        """Every layer is right: what no tensor can be judged for is wrong, or only the whole is."""
        names = {one.name for one in wrong}
        places = {place for output, place in self.taken.outputs.items() if output in names}
        hidden = bisection.hidden_before(self.links, places)
        right = self._right(self.n)
        if not wrong:
            return self._answer(verdict="cannot tell", reason=_unjudged(checks, self.n), before=right)
        file = whole_file(self.prober, names)
        if file.is_wrong and (file.misnamed or (self.n and not hidden)):
            reason = f"the file as a whole is another function than the model: {file.said}"
            return self._answer(verdict="the file as a whole", reason=reason, outputs=wrong)
        if hidden:
            return self._hidden(hidden, wrong)
        reason = _only_the_whole(wrong, right, file) if self.n else "no tensor of the file is known as a layer's result"
        return self._answer(verdict="cannot tell", reason=reason, outputs=wrong, before=right)

    def _hidden(self, hidden: Sequence[int], wrong: tuple[Nearby, ...]) -> Bisected:
        """One of the layers that can't be judged and that only wrong outputs read."""
        step, worst = self.taken.steps[hidden[-1]], max(wrong, key=lambda one: one.error or 0.0)
        return self._answer(
            verdict="found",
            layer=step.name,
            kind=step.kind,
            error=worst.error,
            tolerance=worst.tolerance,
            candidates=tuple(self.taken.steps[place].name for place in hidden),
            outputs=wrong,
            before=self._right(self.n),
        )

    def _located(self, search: Search, wrong: tuple[Nearby, ...]) -> tuple[Bisected, Part | None]:
        chain, checks = self.chain, self.prober.seen.get(search.bad, {})
        tensor = _first_wrong(chain.tensors[search.bad - 1], checks)
        step, check = self.prober.step_of(tensor), checks.get(tensor)
        layer = step.blame or step.name
        number = chain.tensors.index(tensor)
        inside = [self.taken.steps[place].name for place in chain.within[number]]
        between = [self.taken.steps[chain.steps[place]].name for place in range(search.good, search.bad)]
        found = self._answer(
            verdict="found",
            layer=layer,
            kind=next((one.kind for one in self.taken.steps if one.name == layer), step.kind),
            tensor=tensor,
            error=check.relative_error if check else None,
            tolerance=tolerance(step.yardstick) if check else None,
            file_error=step.file_error,
            fused=tuple(name for name in dict.fromkeys((*step.fused, *inside, step.name)) if name != layer),
            candidates=tuple(between) if len(between) > 1 else (),
            outputs=wrong,
            before=self._right(search.good),
            cautions=_cautions(search),
        )
        part = self._part(search, tensor) if check is not None else None
        runs = self.prober.runner.runs
        return msgspec.structs.replace(found, part=_facts(part) if part else None, runs=runs), part

    def _part(self, search: Search, tensor: str) -> Part | None:
        try:
            return make_part(self.prober, search.good, search.bad, tensor)
        except BenchError as error:
            self.progress.note(f"the part that is wrong could not be cut out: {error}")
            return None

    def _right(self, length: int) -> tuple[Nearby, ...]:
        """Layers of a prefix's frontier with their errors."""
        checks = self.prober.seen.get(length, {})
        return tuple(_nearby(self.prober.step_of(tensor).name, check) for tensor, check in checks.items())

    def _with_layers(self, found: Bisected) -> Bisected:
        """Every prefix run once: the runtime's error of every layer."""
        before = self.prober.runner.runs
        missing = [length for length in range(1, self.n + 1) if length not in self.prober.seen]
        self.progress.stage("every layer")
        self.progress.start(len(missing))
        for length in missing:
            self.prober(length)
            self.prober.rows.pop(length, None)
            self.progress.advance(1, f"{length} of {self.n} layers")
        return msgspec.structs.replace(found, layer_runs=self.prober.runner.runs - before)

    def _answer(self, **facts: Any) -> Bisected:
        return Bisected(
            model=self.prober.prepared.model,
            runtime=self.prober.runner.runtime.display,
            runtime_version=self.prober.runner.version,
            reference=self.prober.reference.runtime.display if self.prober.reference else None,
            truth=self.taken.truth,
            runs=self.prober.runner.runs,
            most_runs=self.most,
            layers_judged=self.n,
            **facts,
        )


def _unjudged(checks: Sequence[OutputCheck], layers: int) -> str:
    reasons = [f"{one.output}: {one.reason}" for one in checks if one.verdict != "agrees"]
    within = "; every layer that can be is within its budget" if layers else ""
    return f"its outputs can't be judged ({'; '.join(reasons)}){within}"


def _only_the_whole(wrong: Sequence[Nearby], right: Sequence[Nearby], file: WholeFile) -> str:
    """Fusion is accused only where the file itself was seen to be right."""
    outputs, ends = listed([one.name for one in wrong]), listed([one.name for one in right])
    said = f"only the whole is ({outputs}): {ends} is right when the file ends there, and {file.said}"
    blamed = "so it is what the runtime fuses across such an end"
    return f"{said}, {blamed}" if file.is_wrong is False else f"{said}: the file or what the runtime fuses"


def _first_wrong(own: str, checks: Mapping[str, OutputCheck]) -> str:
    """The prefix's last tensor where it is wrong, else the worst of its frontier."""
    wrong = {tensor: check for tensor, check in checks.items() if check.verdict == "disagrees"}
    if own in wrong or not wrong:
        return own
    return max(wrong, key=lambda tensor: badness(wrong[tensor]))


def _cautions(search: Search) -> tuple[str, ...]:
    said = [f"the first {length} layers could not be run: {reason}" for length, reason in search.failed.items()]
    if search.creeping:
        said.append("the error was near the budget before this layer: an earlier one may have brought it (--all tells)")
    return tuple(said)


def _nearby(name: str, check: OutputCheck) -> Nearby:
    return Nearby(name=name, error=check.relative_error, tolerance=check.tolerance)


def _facts(part: Part) -> PartFacts:
    return PartFacts(
        folder=None,
        inputs=tuple(part.inputs),
        outputs=tuple(part.outputs),
        error=part.check.relative_error,
        tolerance=part.check.tolerance,
        from_inputs=part.from_inputs,
        note=part.why_wide,
    )


def _kept(found: Bisected, part: Part, folder: Path) -> Bisected:
    assert found.part is not None
    write_part(part, folder, readme_of(found))
    return msgspec.structs.replace(found, part=msgspec.structs.replace(found.part, folder=str(folder)))
