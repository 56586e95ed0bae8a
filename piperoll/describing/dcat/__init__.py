"""Linked data: the catalogue in DCAT, and the posts of published structures, as JSON-LD and Turtle."""
