"""Laws are checked without a deadline: a busy machine is no fault of theirs."""

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
