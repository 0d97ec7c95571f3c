"""Laws are checked without a deadline: a busy machine is no fault of theirs. CI tries the same examples every time."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "laws")
