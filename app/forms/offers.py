"""What a rule line offers, in words: what it may ask about, how it may compare by the kind of value, how often, how long.

The words are marked here and said where the form is drawn. Decides nothing.
"""

from flows.words import _

LINE_KINDS = {
    "attribute": _("Person's"), "tag": _("Tagged"), "event": _("Did"), "property": _("Entry event's"),
    "message": _("Message"), "segment": _("Audience"), "json": _("As JSON"),
}  # fmt: skip
OPERATORS = {
    "eq": _("is"), "ne": _("is something other than"), "gt": _("is more than"), "gte": _("is at least"),
    "lt": _("is less than"), "lte": _("is at most"), "in": _("is one of"), "not_in": _("is none of"),
    "contains": _("contains"), "starts_with": _("starts with"), "exists": _("is known"), "missing": _("is missing"),
    "before": _("is before"), "after": _("is after"), "within": _("is within the last"),
}  # fmt: skip
# By the kind of value; what is not known may be compared in every way.
OPERATORS_OF = {
    "text": ("eq", "ne", "in", "not_in", "contains", "starts_with", "exists", "missing"),
    "number": ("eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "exists", "missing"),
    "flag": ("eq", "exists", "missing"),
    "date": ("before", "after", "within", "eq", "exists", "missing"),
    "list": ("contains", "exists", "missing"),
    "": tuple(OPERATORS),
}
TIMES = {
    "once": _("at least once"), "never": _("never"), "gte": _("at least"), "lte": _("at most"), "eq": _("exactly"),
    "gt": _("more than"), "lt": _("fewer than"), "ne": _("not exactly"),
}  # fmt: skip
VALUE_KINDS = {
    "text": _("text"), "number": _("number"), "flag": _("yes or no"), "list": _("list"), "none": _("nothing"),
    "json": _("JSON"),
}  # fmt: skip
OUTCOMES = {
    "sent": _("was sent"), "delivered": _("was delivered"), "opened": _("was opened"), "clicked": _("was clicked"),
    "failed": _("failed"), "suppressed": _("was held back"),
}  # fmt: skip
DURATION_UNITS = {"S": _("seconds"), "M": _("minutes"), "H": _("hours"), "D": _("days"), "W": _("weeks")}
PERIOD_UNITS = {
    "m": _("minutes"), "h": _("hours"), "D": _("days"), "W": _("weeks"), "M": _("months"), "Y": _("years"),
}  # fmt: skip
CRON_EXAMPLES = {
    "0 9 * * *": _("Every day at 9:00"), "0 9 * * mon": _("Mondays at 9:00"), "0 9 * * mon-fri": _("Workdays at 9:00"),
    "0 9 1 * *": _("On the 1st of each month at 9:00"), "0 * * * *": _("Every hour"),
}  # fmt: skip


def operators(kind: str, current: str, *, where: bool) -> list[str]:
    """The comparisons a line offers; the one it has is among them, whatever it is."""
    found = [op for op in OPERATORS_OF.get(kind, OPERATORS_OF[""]) if not (where and op == "within")]
    return found if current in found or not current else [*found, current]
