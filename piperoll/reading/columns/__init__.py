"""Which column holds which field: headings, contents and remembered headings, weighed together."""
