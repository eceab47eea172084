"""All SQL. A function takes an open connection, runs a fixed number of statements and returns values; it never commits."""
