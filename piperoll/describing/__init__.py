"""Describing."""
