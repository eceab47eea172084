"""The canvas alone on a page, to try it and to take its figures."""
