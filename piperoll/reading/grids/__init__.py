"""Rows and cells with their addresses, however many: in memory, or in a temporary file."""
