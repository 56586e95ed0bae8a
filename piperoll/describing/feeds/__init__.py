"""Feeds of releases and of late returns, as Atom and as JSON Feed, with archives of older items."""
