"""HTTP: what strangers and staff may ask for, in handlers of about ten lines. Never a stage, never SQL."""
