"""Serving: the API over the published files, in a folder or a bucket. FastAPI and DuckDB live here and nowhere else."""
