"""Piperoll: collects, checks and publishes what public bodies spend, contract for, employ and deliver."""

__version__ = "0.1.0"
