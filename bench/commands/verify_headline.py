"""What makes every comparison of a model mean nothing, whatever runtime it is: said in place of a verdict. Pure."""

from __future__ import annotations

from bench.verifying import JudgedModel

RANDOM = "non-deterministic model"
_MEANS_NOTHING = "no comparison of it means anything"


def headline(judged: JudgedModel) -> str | None:
    """Half a sentence where the model is random, or gives NaN itself; None where verdicts mean something."""
    if all(check.verdict == "agrees" for case in judged.cases for check in case.checks):
        return None
    random = random_text(judged)
    return f"the model is random: {random}" if random else _nonfinite(judged)


def random_text(judged: JudgedModel) -> str:
    """What says that the model or its file gives two answers to one input; empty where nothing does."""
    told = [(caution.code, caution.text) for caution in judged.cautions]
    told += [(finding.code, finding.text) for case in judged.cases for finding in case.findings]
    text = next((text for code, text in told if code == RANDOM), "")
    return text if not text or _MEANS_NOTHING in text else f"{text}; {_MEANS_NOTHING}"


def is_saturated(judged: JudgedModel) -> bool:
    """Whether most entries of an output are at a bound, where differences are not seen."""
    return any(caution.code == "saturated output" for caution in judged.cautions)


def _nonfinite(judged: JudgedModel) -> str | None:
    """Nothing where an output disagrees whose truth is finite: that is the news."""
    checks = [check for case in judged.cases for check in case.checks]
    found = {check.output: check for check in checks if check.nonfinite_truth}
    if not found or any(check.verdict == "disagrees" and not check.nonfinite_truth for check in checks):
        return None
    told = ", ".join(f"{check.nonfinite_truth} entries of output {name!r}" for name, check in found.items())
    return f"the model itself gives NaN or infinity ({told}): mend the model or its inputs"
