"""From grids to tables: where the headings are, which rows are records, and which tables a sheet holds."""
