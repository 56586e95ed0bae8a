"""Privacy: which rows may name a private person, and are held or redacted."""
