"""Privacy: which rows may name a private person, and are held or published without the name."""
