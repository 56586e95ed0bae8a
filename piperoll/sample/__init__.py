"""Sample files of fictional bodies, with the faults of real files; the same seed gives the same bytes."""

from piperoll.sample.files import MONTHS, sample_files, write_sample

__all__ = ["MONTHS", "sample_files", "write_sample"]
