"""Annotations of published lines: what Piperoll says of them by rules and registers that are data."""
