"""Build the catalogue. `build` is the way in, `build_plan` decides what to do, `body_cache` keeps what is known of a body."""
