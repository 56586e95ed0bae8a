"""Building the catalogue: what changed is rendered and written again, what is gone is removed."""
