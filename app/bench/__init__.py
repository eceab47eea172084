"""Benchmarks: each workload on the real stages and a durable PostgreSQL, beside a floor measured in the same run."""
