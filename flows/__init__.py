"""Prefect flows, one in each module: what runs when, what is retried, and what the server shows. No other Prefect code.

Importing this package imports nothing of Prefect: `prefect_server` has to set its environment first.
"""
