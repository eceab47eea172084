"""Simulated people walk journeys twice, once by the engine and once by a naive reference; both must tell the same story."""
