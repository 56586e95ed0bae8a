"""The tests of the rooms of checking find what `made_readings` makes: pytest puts this folder on the path."""
