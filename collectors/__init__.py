"""Collectors: from the world in."""
