"""Flows: what runs, in what order, how often, and what is retried."""
