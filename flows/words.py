"""Text that people read: the marker by which gettext finds it, and a line cut to fit. Never translates: pages do."""

SUMMARY_AT_MOST = 60


def _(text: str) -> str:
    """Mark a title, a help text or a sentence for extraction; the text itself is the key."""
    return text


def clip(text: str, length: int = SUMMARY_AT_MOST) -> str:
    """The text on one line, at most so long; what is cut off shows as an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
