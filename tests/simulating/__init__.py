"""The simulator held against the engine."""
