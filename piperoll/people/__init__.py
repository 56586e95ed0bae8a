"""Who is a private person: folded names, the lists of `datapackages/privacy/`, and a model of names."""
