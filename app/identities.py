"""Who a call is from: which contact each call belongs to, which are new, which two turn out to be one person.

Pure decisions over a batch of calls in order of arrival; `app/store/accept.py` reads what is known and writes what is found.
The rules: a user id counts more than an anonymous id. An id never seen is attached to the contact that the other id names,
unless that contact already is another user (a shared device). An identify or alias whose two ids name two contacts joins
them, if the one that gives way is no user yet; an alias that says outright which user id is given up joins users too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.calls import Call

Name = tuple[int, str, str]  # workspace, kind, value


class Joining(NamedTuple):
    """A contact that gives way to another, and the names it had."""

    loser: int
    winner: int
    names: tuple[Name, ...]


@dataclass(slots=True)
class Known:
    """What the database says: whom each name means, and all the names of the contacts whose names may change."""

    owners: Mapping[Name, int]
    names: Mapping[int, set[Name]]


@dataclass(slots=True)
class Found:
    """What the calls come to: a contact for each call (and whom it joins), and what has to be written."""

    contacts: list[int] = field(default_factory=list)
    joinings: dict[int, Joining] = field(default_factory=dict)  # by the place of the call
    created: dict[int, int] = field(default_factory=dict)  # contact → workspace
    attached: dict[Name, int] = field(default_factory=dict)
    moved: dict[Name, int] = field(default_factory=dict)


def names_of(call: Call) -> list[Name]:
    """Every name a call speaks of; an alias may mean its previous id either way."""
    workspace = call.workspace_id
    names = [(workspace, "user_id", call.user_id)] if call.user_id is not None else []
    if call.anonymous_id is not None:
        names.append((workspace, "anonymous_id", call.anonymous_id))
    if call.kind == "identify":
        names += [
            (workspace, kind, value)
            for kind, value in (("email", call.email), ("phone", call.phone))
            if value is not None
        ]
    elif call.previous_id is not None:
        names += [(workspace, "anonymous_id", call.previous_id), (workspace, "user_id", call.previous_id)]
    return names


def touched(calls: Iterable[Call], owners: Mapping[Name, int]) -> dict[int, int]:
    """The known contacts (with their workspaces) that may gain or lose a name: they are locked before anything is decided."""
    found: dict[int, int] = {}
    for call in calls:
        names = names_of(call)
        if len(names) < 2:
            continue
        known = {owners[name] for name in names if name in owners}
        if known and (len(known) > 1 or any(name not in owners for name in names)):
            found.update(dict.fromkeys(known, call.workspace_id))
    return found


def resolve(calls: Sequence[Call], known: Known, fresh: Iterator[int]) -> Found:
    """Decide for each call in turn; a later call sees what an earlier one changed."""
    return _Resolver(known, fresh).run(calls)


class _Resolver:
    def __init__(self, known: Known, fresh: Iterator[int]) -> None:
        # All names of a contact go with it, also those that no call speaks of.
        self.stored: dict[Name, int] = {name: contact for contact, names in known.names.items() for name in names}
        self.stored.update(known.owners)
        self.owners = dict(self.stored)
        self.names = {contact: set(names) for contact, names in known.names.items()}
        self.fresh = fresh
        self.found = Found()

    def run(self, calls: Sequence[Call]) -> Found:
        for place, call in enumerate(calls):
            self.found.contacts.append(self._one(place, call))
        for name, contact in self.owners.items():
            before = self.stored.get(name)
            if before is None:
                self.found.attached[name] = contact
            elif before != contact:
                self.found.moved[name] = contact
        return self.found

    def _one(self, place: int, call: Call) -> int:
        workspace = call.workspace_id
        user = (workspace, "user_id", call.user_id) if call.user_id is not None else None
        other = (workspace, "anonymous_id", call.anonymous_id) if call.anonymous_id is not None else None
        if call.previous_id is not None and user is not None:
            contact = self._alias(place, user, (workspace, call.previous_id))
            if other is not None and other not in self.owners:
                self._attach(other, contact)
        elif user is not None and other is not None:
            contact = self._both(place, user, other, may_join=call.kind == "identify")
        else:
            contact = self._single(user or other)
        if call.kind == "identify":
            for kind, value in (("email", call.email), ("phone", call.phone)):
                if value is not None and (workspace, kind, value) not in self.owners:
                    self._attach((workspace, kind, value), contact)
        return contact

    def _single(self, name: Name | None) -> int:
        if name is None:
            raise ValueError("a call that names nobody")
        contact = self.owners.get(name)
        return self._create(name) if contact is None else contact

    def _both(self, place: int, user: Name, other: Name, *, may_join: bool) -> int:
        """The contact of a call with a user id and a second name."""
        mine, theirs = self.owners.get(user), self.owners.get(other)
        if mine is None and theirs is not None and not self._is_user(theirs):
            self._attach(user, theirs)
            return theirs
        if mine is None:
            mine = self._create(user)
        if theirs is None:
            self._attach(other, mine)
        elif theirs != mine and may_join and not self._is_user(theirs):
            self._join(place, theirs, mine)
        return mine

    def _alias(self, place: int, user: Name, previous: tuple[int, str]) -> int:
        workspace, value = previous
        anonymous, former = (workspace, "anonymous_id", value), (workspace, "user_id", value)
        if anonymous in self.owners or former not in self.owners:
            return self._both(place, user, anonymous, may_join=True)
        theirs, mine = self.owners[former], self.owners.get(user)
        if mine is None:
            self._attach(user, theirs)
            return theirs
        if mine != theirs:
            self._join(place, theirs, mine)
        return mine

    def _is_user(self, contact: int) -> bool:
        return any(kind == "user_id" for _, kind, _ in self.names.get(contact, ()))

    def _create(self, name: Name) -> int:
        contact = next(self.fresh)
        self.found.created[contact] = name[0]
        self._attach(name, contact)
        return contact

    def _attach(self, name: Name, contact: int) -> None:
        self.owners[name] = contact
        self.names.setdefault(contact, set()).add(name)

    def _join(self, place: int, loser: int, winner: int) -> None:
        names = self.names.pop(loser, set())
        self.found.joinings[place] = Joining(loser, winner, tuple(sorted(names)))
        for name in names:
            self._attach(name, winner)
