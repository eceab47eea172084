"""What the commands of `journey` do; `app/cli.py` says how they are called. Loaded only when their command runs."""
