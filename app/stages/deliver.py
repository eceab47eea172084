"""deliver: claim what is due, ask the gate on fresh reads, render, hand over, write what became of it.

Transactions, none open while the network is used: the claim; the words and links, with the outcome of what stays in the
house; then for every few messages that go out one that marks the next as `sending` and writes what became of the last, so
that a killed process leaves no more than these in doubt (P3). Never decides what a journey does next.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import structlog

from app import erasures
from app.copywriting import CopyError
from app.courier import NOT_BEGUN, Courier, Pace, loads_of
from app.database import transaction
from app.failpoints import failpoint
from app.gate import MARKETING, Case, verdicts
from app.held import Held
from app.links import Tokens
from app.plans import Plans
from app.rendering import Site, Words, track, words
from app.store import caught, credentials, history, holding, inbox, links, outbox, sendings
from app.store.caught import Catch
from app.store.messages import MessageStatus
from app.store.outbox import NEVER, Claimed, Fresh, Settled
from app.store.rows import Connection
from app.tellings import asked, letters
from app.vault import VaultError, unseal
from app.zones import zones_of
from flows.compile import Plan
from flows.contract import Channel, Event, Report
from flows.durations import elapsed
from flows.policies import Policies, Wish, hushed

LONGEST_RETRY_SECONDS = 3600.0
JITTER = 0.2
LONGEST_TRYING = timedelta(hours=24)
UNKNOWN = "unknown"  # how a reason begins while nobody knows, and after
log = structlog.get_logger()

UNSENT = (MessageStatus.FAILED, MessageStatus.SUPPRESSED, MessageStatus.EXPIRED, MessageStatus.DEFERRED)


@dataclass(slots=True)
class _Round:
    """One batch on its way through this stage."""

    now: datetime
    pace: Pace
    claimed: list[Claimed]
    policies: Mapping[int, Policies] = field(default_factory=dict)  # by workspace, where there are any
    asked: Mapping[int, set[str]] = field(default_factory=dict)  # by workspace: the events that somebody looks out for
    entries: Mapping[int, Event] = field(default_factory=dict)
    accounts: Mapping[tuple[int, str], credentials.Credential] = field(default_factory=dict)
    going: list[tuple[Words, dict[str, Any]]] = field(default_factory=list)
    titles: list[tuple[Claimed, str, dict[str, Any] | None]] = field(default_factory=list)
    ended: list[Settled] = field(default_factory=list)


def run(connection: Connection, plans: Plans, courier: Courier, *, now: datetime, limit: int) -> int:
    """Handle up to `limit` due messages; returns how many were claimed."""
    work = _claim(connection, plans, courier, now, limit)
    if not work.claimed:
        return 0
    failpoint("CP19")
    work.asked = {workspace: asked(plans, workspace) for workspace in {one.workspace_id for one in work.claimed}}
    _prepare(plans, courier, work)
    with transaction(connection):
        ours = outbox.dress(connection, work.titles)
        here = [one for one in work.ended if (one.message.workspace_id, one.message.id) in ours]
        here = here if courier.cut_off else _still_wanted(connection, plans, here, now)
        _finish(connection, here, work)
        if courier.divert:
            caught.add_many(connection, _pulled(work, here))
        # Only of those still here: who was erased meanwhile leaves no link behind.
        work.going = [one for one in work.going if _key(one[0].message) in ours]
        wanted = [(made.message, url) for made, _ in work.going for url in made.addresses]
        ids = links.keep(connection, [(one.workspace_id, url, one.contact_id) for one, url in wanted])
        if here:
            failpoint("CP23")
    if here:
        failpoint("CP24")
    _send(_Writing(connection, plans, work), courier, ids)
    return len(work.claimed)


@dataclass(slots=True)
class Deliverer:
    """The stage bound to what it works with, for callers that run it again and again."""

    connection: Connection
    plans: Plans
    courier: Courier

    def run(self, *, now: datetime, limit: int) -> int:
        """As `run`."""
        return run(self.connection, self.plans, self.courier, now=now, limit=limit)


def cut_off(connection: Connection, plans: Plans) -> Deliverer:
    """For rehearsals: local channels deliver, everything else counts as sent and nothing leaves the house."""
    site = Site("https://cut.off.invalid", Tokens(b"nothing leaves, so nothing has to be signed"))
    return Deliverer(connection, plans, Courier(site, b"", cut_off=True))


def _claim(connection: Connection, plans: Plans, courier: Courier, now: datetime, limit: int) -> _Round:
    """Lease messages and read what rendering needs, in one transaction."""
    with transaction(connection):
        plans.refresh(connection)
        addresses = {node.channel.name: node.channel.address for node in plans.catalog.values() if node.channel}
        paused = {plan.journey_id for plan in plans.by_version.values() if plan.paused}
        claimed = outbox.claim(
            connection,
            addresses,
            resting=courier.resting(now),
            held=paused,
            now=now,
            until=now + courier.pace.lease,
            limit=limit,
        )
        claimed = erasures.marked(connection, courier.secret, claimed)
        work = _Round(now, courier.pace, claimed, plans.policies)
        if claimed:
            plans.include(connection, {one.version_id for one in claimed})
            came = [
                (one.workspace_id, one.lane, one.contact_id, one.since, one.entry_event)
                for one in claimed
                if one.entry_event is not None
            ]
            work.entries = history.entries(connection, came)
            wanted = [(one.workspace_id, one.account) for one in claimed if one.account]
            work.accounts = {(held.workspace_id, held.name): held for held in credentials.of(connection, wanted)}
    return work


def _prepare(plans: Plans, courier: Courier, work: _Round) -> None:
    """Ask the gate and render; sorts the batch into what goes out and what has ended here."""
    cases = [_case(one, plans) for one in work.claimed]
    for one, refused in zip(work.claimed, verdicts(cases), strict=True):
        plan = plans.by_version[one.version_id]
        reason = "stopped" if plan.stopped else refused
        try:
            made = words(one, plan, work.entries.get(one.entry_event or 0), courier.site, work.now)
            account = {} if reason else _account(courier, work, one, made.channel)
        except (CopyError, VaultError) as error:
            _end(work, one, reason, str(error))
            continue
        except Exception as error:  # noqa: BLE001 one poisonous message must not hold up the others
            log.error("message.poisonous", error=type(error).__name__)
            _end(work, one, reason, f"cannot be rendered: {type(error).__name__}")
            continue
        work.titles.append((one, made.title, made.content))
        if reason:
            work.ended.append(_refused(one, reason))
        elif later := _hushed(one, plan, work):
            work.ended.append(later)
        elif made.channel.local:
            work.ended.append(Settled(one, MessageStatus.SENT, NEVER, sent_at=work.now, outcome=1))
        elif one.was == MessageStatus.SENDING and not _repeats_at_once(one, made.channel):
            work.ended.append(_unknown(one, made.channel, "the sender stopped before it knew", work))
        else:
            work.going.append((made, account))


def _case(one: Claimed, plans: Plans, fresh: Fresh | None = None) -> Case:
    """What the gate looks at: as it was when the message was claimed, or as it is now."""
    step = plans.by_version[one.version_id].steps.get(one.node)
    consents, suppressed = fresh or (one.consents, one.suppressed)
    purpose = step.purpose if step else MARKETING
    return Case(one.channel, one.marketing, consents, one.recipient or "", suppressed, purpose, one.erased)


def _still_wanted(connection: Connection, plans: Plans, here: Sequence[Settled], now: datetime) -> list[Settled]:
    """What is delivered by being written is asked for in the very transaction that writes it (P10)."""
    local = {(one.message.workspace_id, one.message.id): one for one in here if one.status == MessageStatus.SENT}
    if not local:
        return list(here)
    held = holding.hold_here(connection, {one.message.contact_id for one in local.values()})
    fresh = outbox.still(connection, [one.message for one in local.values() if one.message.contact_id in held])
    rest = [one for one in here if one.status != MessageStatus.SENT]
    for key, one in local.items():
        if one.message.contact_id not in held:
            rest.append(Settled(one.message, MessageStatus.PENDING, now, reason=one.message.reason))
        elif key in fresh:
            (reason,) = verdicts([_case(one.message, plans, fresh[key])])
            rest.append(_refused(one.message, reason) if reason else one)
    return rest


def _refused(one: Claimed, reason: str) -> Settled:
    return Settled(one, MessageStatus.SUPPRESSED, NEVER, reason=reason)


def _hushed(one: Claimed, plan: Plan, work: _Round) -> Settled | None:
    """A message that passed the gate and was late: if it is night now where the contact is, it asks again in the morning."""
    policies = work.policies.get(one.workspace_id)
    if policies is None or not one.marketing:
        return None
    zones = zones_of(one.attributes.get("timezone"), one.attributes.get("country"), plan.timezone)
    wish = Wish(one.contact_id, one.channel, one.journey_id, plan.priority, work.now, one.created_at, zones)
    said = hushed(wish, policies)
    if said is None:
        return None
    if said.due is None:
        return Settled(one, MessageStatus.SUPPRESSED, NEVER, reason=said.reason)
    doubt = f"{UNKNOWN} before: " * _was_unknown(one)
    return Settled(one, MessageStatus.DEFERRED, said.due, reason=f"{doubt}{said.reason}")


def _end(work: _Round, one: Claimed, refusal: str | None, trouble: str) -> None:
    """A message without words: suppressed if it was not to go out anyway, else failed."""
    work.titles.append((one, "", None))
    status = MessageStatus.SUPPRESSED if refusal else MessageStatus.FAILED
    work.ended.append(Settled(one, status, NEVER, reason=refusal or trouble))


def _pulled(work: _Round, here: Iterable[Settled]) -> list[Catch]:
    """In-app messages never pass a provider, so the sink is told of them here."""
    sent = {one.message.id for one in here if one.status == MessageStatus.SENT}
    return [
        Catch(0, one.channel, one.recipient or "", title, content, work.now, one.workspace_id)
        for one, title, content in work.titles
        if content is not None and one.id in sent
    ]


def _account(courier: Courier, work: _Round, one: Claimed, channel: Channel) -> dict[str, Any]:
    """The provider settings in clear; empty for channels that have none."""
    if channel.local or channel.account is None:
        return {}
    held = work.accounts.get((one.workspace_id, one.account or ""))
    if held is not None and held.channel == channel.name:
        return unseal(held.shown, held.sealed, owner=held.owner, secret=courier.secret)
    if courier.divert or courier.cut_off:
        return {}  # the sink stands in for a provider nobody has configured yet
    raise CopyError(f"no {channel.name} account named {one.account or '(none)'}")


@dataclass(slots=True)
class _Writing:
    """The book of one batch: what goes out next and what became of the last, in one transaction.

    From before consent is read until the calls are over, the contacts are held: who opts out meanwhile waits for that.
    """

    connection: Connection
    plans: Plans
    work: _Round
    held: Held = field(default_factory=Held)

    def __call__(self, ended: Sequence[tuple[int, Report]], next: Sequence[int]) -> Collection[int]:
        outcomes = [_outcome(self.work.going[number][0], report, self.work) for number, report in ended]
        following = {number: self.work.going[number][0].message for number in next}
        if not outcomes and not following:
            return ()
        with transaction(self.connection):
            self.held.over(number for number, _ in ended)
            wish = {number: one.contact_id for number, one in following.items()}
            free = self.held.take(self.connection, wish)
            fresh = outbox.begin(self.connection, [one for number, one in following.items() if number in free])
            refused = self._refused(following.values(), fresh)
            busy = [one for number, one in following.items() if number not in free]
            later = [Settled(one, MessageStatus.PENDING, self.work.now, reason=one.reason) for one in busy]
            _finish(self.connection, [*outcomes, *refused.values(), *later], self.work)
            if outcomes:
                failpoint("CP23")
        if outcomes:
            failpoint("CP24")
        going = [number for number, one in following.items() if _key(one) in fresh and _key(one) not in refused]
        self.held.over(following.keys() - set(going))
        return going

    def still(self, number: int) -> bool:
        """Whether it is wanted even now."""
        one = self.work.going[number][0].message
        with transaction(self.connection):
            fresh = outbox.still(self.connection, [one])
            refused = self._refused([one], fresh)
            _finish(self.connection, list(refused.values()), self.work)
        return bool(fresh) and not refused

    def _refused(self, asked: Iterable[Claimed], fresh: Mapping[tuple[int, int], Fresh]) -> dict[Any, Settled]:
        mine = [one for one in asked if _key(one) in fresh]
        reasons = verdicts([_case(one, self.plans, fresh[_key(one)]) for one in mine])
        return {_key(one): _refused(one, reason) for one, reason in zip(mine, reasons, strict=True) if reason}


def _key(one: Claimed) -> tuple[int, int]:
    return one.workspace_id, one.id


def _send(writing: _Writing, courier: Courier, ids: Mapping[tuple[int, str], int]) -> None:
    made = []
    for one, account in writing.work.going:
        track(one, courier.site, ids)
        if courier.divert:
            one.fields, account = courier.divert(one.channel.name, one.fields, account)
        made.append((one.message.place, one.channel, one.outgoing(account)))
    try:
        courier.carry(loads_of(made), writing, writing.work.now)
    finally:
        if not writing.connection.closed:
            with transaction(writing.connection):
                writing.held.let_go(writing.connection)


def _outcome(made: Words, report: Report, work: _Round) -> Settled:
    """What a report means for the message (rule D7)."""
    one, channel, now = made.message, made.channel, work.now
    if report is NOT_BEGUN:
        return Settled(one, MessageStatus.PENDING, now, reason=one.reason)
    if report.status == "sent":
        # Whoever takes a message for a system instead of a mailbox has it: its yes is the delivery.
        reached = 2 if channel.address is None else 1
        return Settled(one, MessageStatus.SENT, NEVER, now, None, report.provider_id or None, reached)
    if report.status == "failed":
        return Settled(one, MessageStatus.FAILED, NEVER, reason=report.reason or "failed")
    if report.status == "unknown":
        return _unknown(one, channel, report.reason, work)
    due = now + _back_off(one, report.retry_after, work.pace)
    policies = work.policies.get(one.workspace_id)
    put_off = elapsed(policies.defer_at_most) if policies and one.marketing else timedelta()
    if due - one.created_at > LONGEST_TRYING + put_off:
        return Settled(one, MessageStatus.FAILED, NEVER, reason=f"gave up: {report.reason}")
    # Nobody knew of it once: that is remembered, for it is sent again only once.
    return Settled(one, MessageStatus.PENDING, due, reason=f"{UNKNOWN} before: " * _was_unknown(one) + report.reason)


def _repeats_at_once(one: Claimed, channel: Channel) -> bool:
    return channel.repeats == "absorbed" or not one.marketing


def _unknown(one: Claimed, channel: Channel, reason: str, work: _Round) -> Settled:
    """Nobody knows whether it arrived: a repeat is harmless, or worth it, or waits once for a receipt."""
    if _repeats_at_once(one, channel):
        due = work.now + _back_off(one, None, work.pace)
        final = due - one.created_at > LONGEST_TRYING
    else:
        due = work.now + work.pace.silence
        final = _was_unknown(one)  # it had its one repeat
    return Settled(one, MessageStatus.UNKNOWN, NEVER if final else due, reason=f"{UNKNOWN}: {reason}")


def _was_unknown(one: Claimed) -> bool:
    return (one.reason or "").startswith(UNKNOWN)


def _back_off(one: Claimed, asked: float | None, pace: Pace) -> timedelta:
    """Doubling, with a jitter that is the message's own: repeatable, and no two messages in step."""
    seconds = min(pace.first_retry_seconds * 2.0 ** min(one.attempt - 1, 20), LONGEST_RETRY_SECONDS)
    draw = int.from_bytes(blake2b(b"%d/%d" % (one.id, one.attempt), digest_size=4).digest()) / 2**32
    return timedelta(seconds=max(seconds * (1 - JITTER + 2 * JITTER * draw), asked or 0.0))


def _finish(connection: Connection, outcomes: Sequence[Settled], work: _Round) -> None:
    """Write outcomes, and tell those who wait for them."""
    written = outbox.settle(connection, outcomes, work.now)
    mine = [one for one in outcomes if (one.message.workspace_id, one.message.id) in written]
    unsent = [one.message for one in mine if one.status in UNSENT and one.message.workspace_id in work.policies]
    sendings.drop(connection, [(one.workspace_id, one.lane, one.contact_id, one.id) for one in unsent if one.marketing])
    inbox.put(connection, letters(mine, work.asked, work.now))
