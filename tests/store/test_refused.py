"""Which no held a message back: looked up in the ledger for a whole list at once, as of when each message was written."""

from datetime import timedelta

from app.bench import ground
from app.database import Connection, transaction
from app.store import consents
from app.store.consents import Consent

HOUR = timedelta(hours=1)


def test_each_message_is_told_the_no_that_held_it_back_q10(connection: Connection) -> None:
    workspace, other = ground.workspace(connection), ground.workspace(connection, "other")
    ada, bo = ground.people(connection, workspace, 2)
    (stranger,) = ground.people(connection, other, 1)

    said = [
        (ada, "email", "marketing", False, 1, "page"),
        (ada, "email", "marketing", True, 2, "page"),
        (ada, "email", "news", False, 3, "mail"),
        (ada, "email", "marketing", False, 6, "complaint"),
        (ada, "sms", "marketing", False, 4, "keyword"),
        (bo, "email", "offers", False, 2, "api"),
    ]
    with transaction(connection):
        for contact, channel, purpose, allowed, hour, source in said:
            moment = ground.START + hour * HOUR
            consents.set_consents(connection, [Consent(workspace, contact, channel, purpose, allowed, moment, source)])
        no = Consent(other, stranger, "email", "marketing", False, ground.START + HOUR, "page")
        consents.set_consents(connection, [no])
    asked = [
        (1, ada, "email", "marketing", 1),  # written as they said no
        (2, ada, "email", "marketing", 2),  # they said yes again: it was the complaint before it went out
        (3, ada, "email", "news", 5),  # the no to this purpose
        (4, ada, "email", "offers", 5),  # a no to another purpose is none to this one
        (5, ada, "email", "news", 7),  # the last of both
        (6, ada, "sms", "marketing", 5),
        (7, bo, "email", "marketing", 5),  # they never said no to marketing
        (8, stranger, "email", "marketing", 5),  # somebody else's people
    ]
    with transaction(connection):
        moments = [(*rest, ground.START + hour * HOUR) for *rest, hour in asked]
        found = consents.refused(connection, workspace, moments)  # type: ignore[arg-type]
    told = {id: (one.purpose, one.source) for id, one in found.items()}
    assert told == {
        1: ("marketing", "page"),
        2: ("marketing", "complaint"),
        3: ("news", "mail"),
        4: ("marketing", "complaint"),
        5: ("marketing", "complaint"),
        6: ("marketing", "keyword"),
    }
