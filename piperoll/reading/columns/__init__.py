"""Which column is which: headings, contents and memory weighed together."""
