"""The sample: plainly fictional bodies with realistic mess, the same bytes from the same seed."""
