"""The pages for people: HTML from the templates in `catalogue/`."""
