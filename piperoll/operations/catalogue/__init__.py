"""Build the catalogue: `build` runs it, `build_plan` decides what to do, `body_cache` keeps what is known of a body."""
