"""Comparison of a release with those of earlier periods, and with the published version of its own series."""
