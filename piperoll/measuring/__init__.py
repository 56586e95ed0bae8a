"""Measures: figures about bodies, made from published rows, each with its bounds, its coverage and its working."""
