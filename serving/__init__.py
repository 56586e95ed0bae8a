"""The HTTP API over published files, in a folder or a bucket. FastAPI and DuckDB are imported here and nowhere else.

A request for rows goes through these modules:

1. `app` routes it; `rows` reads its parameters with `query.parse_query`.
2. `version_selection.select` chooses the versions to read, from the `index_cache`.
3. `query_service` gets their Parquet files from the `parquet_cache`, writes a statement with `sql` and runs it.
4. `response_formats` writes the result as JSON, CSV, Parquet and so on.
"""
