"""The simulator: one contact walks a draft under a virtual clock, by the engine's own code. Nothing is sent, no row written."""

from app.simulating.rehearsal import Told, rehearse
from app.simulating.story import Story

__all__ = ["Story", "Told", "rehearse"]
