"""The sample: plainly fictional bodies with realistic mess, the same bytes from the same seed."""

from piperoll.sample.writing import MONTHS, sample_files, write_sample

__all__ = ["MONTHS", "sample_files", "write_sample"]
