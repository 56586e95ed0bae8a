"""The commands of `piperoll`; each module has those of one kind of user.

Libraries that take long to import (Prefect, Arrow, Great Expectations) are imported in the commands that need them, so
that `piperoll --help` takes a fraction of a second and `check` never imports Prefect.
"""
