"""Releases as text: the catalogue's pages, DCAT, feeds and search index, and reports in plain words.

Everything here is a function of its arguments; `piperoll.operations.catalogue` reads the store and writes the files.
"""
