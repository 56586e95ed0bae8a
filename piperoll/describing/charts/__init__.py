"""Charts: adding up the rows of a release, laying the sums out as bars, and drawing them."""
