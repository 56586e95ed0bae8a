"""Bytes to grids: what kind of file it is, which encoding, how its text or workbook is parted into rows and cells."""
