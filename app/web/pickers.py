"""What pickers on pages offer: the names of events, attributes and tags that occur here. One library for the whole process."""

from fastapi import Request

from app.vocabulary import Library


def library_of(request: Request) -> Library:
    """The process's library of names."""
    kept = request.app.state
    if not hasattr(kept, "library"):
        kept.library = Library()
    library: Library = kept.library
    return library
