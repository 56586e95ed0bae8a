"""Grids to tables: where the headings are, which rows are records, what stands beside and below."""
