"""The scripts of the pages: their own tests, their types, and the canvas alone in a real browser."""
