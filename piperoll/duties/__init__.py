"""Duties: which publications each body owes by law, when they are due, and which are late."""
