"""Property tests of whole columns: the first call loads libraries, so time is no criterion."""

from hypothesis import settings

settings.register_profile("columns", deadline=None)
settings.load_profile("columns")
