"""The commands of `piperoll`, a module for each thing a person comes to do.

What takes long to import (Prefect, Arrow, Great Expectations) is imported within the command that needs it: `piperoll
--help` answers at once, and `check` never brings in Prefect.
"""
