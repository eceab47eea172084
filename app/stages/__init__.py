"""One function per stage: take a batch, think, write forward, commit. No stage calls another."""
