"""What a cell means: amounts, dates, references, and the marks for nothing."""
