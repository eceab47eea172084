"""How a draft becomes a live version: one way for page, API and command. How it is paused and stopped is in `pausing`.

An approval binds the content hash of the document and of all it depends on; any change voids it; nobody approves what
they edited or handed in. Functions take an open transaction and never commit; no SQL of their own, no HTTP.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from app import approvals, audit, reaching, seasons
from app import schedules as calendar
from app.approvals import Approval
from app.failpoints import failpoint
from app.store import (
    accounts,
    admissions,
    drafts,
    fuses,
    journeys,
    schedules,
    sidedrafts,
    submissions,
    users,
    versions,
    workspaces,
)
from app.store.journeys import Approved, Journey, Saving
from app.store.rows import Connection
from app.store.submissions import Submission
from flows import conditions as condition
from flows import document as documents
from flows import policies
from flows.compile import Label, Plan, compile_plan
from flows.conditions import Conditions
from flows.contract import Json, NodeType
from flows.document import Document
from flows.policies import Policies
from flows.validate import Problem, errors, validate
from flows.words import _

Catalog = Mapping[str, NodeType]
Decision = Literal["approve", "reject"]
NAME_AT_MOST = 200
REASON_NEEDED = _("Say in a sentence what should be different; it goes to who handed it in.")


class RefusedError(Exception):
    """It was not done. `kind`: missing, conflict (the state is another), forbidden (the person), invalid (the document)."""

    def __init__(
        self,
        kind: Literal["missing", "conflict", "forbidden", "invalid"],
        detail: str,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.problems = problems


class Desk(NamedTuple):
    """Who does something to which journey, and when: what every function here needs."""

    connection: Connection
    catalog: Catalog
    workspace_id: int
    actor: str
    now: datetime
    maker: str | None = None  # who made the key or link of the actor, if not they: counted among the same eyes

    def note(self, what: str, about: str, before: audit.Said = None, after: audit.Said = None) -> None:
        """Keep in the audit log that this was done."""
        audit.record(self.connection, self.workspace_id, self.actor, what, about, before, after, self.now)


class Submitted(NamedTuple):
    """A draft handed in."""

    content_hash: str
    problems: list[Problem]


def known(desk: Desk, journey_id: int, *, lock: bool = False) -> Journey:
    """The journey, or the same refusal for one that never was and for another workspace's; `lock`: held to the end."""
    journey = journeys.find(desk.connection, desk.workspace_id, journey_id, lock=lock)
    if journey is None:
        raise RefusedError("missing", "journey")
    return journey


def create(desk: Desk, name: str, raw: Mapping[str, Json]) -> Journey:
    """A new journey with its first draft; DocumentError where the document is none."""
    documents.load(raw)
    made = _begin(desk, name, raw)
    desk.note("journey.create", f"journey:{made.id}", None, {"name": name})
    return made


def duplicate(desk: Desk, journey_id: int, called: str) -> Journey:
    """A new journey with the draft of another; `called` says what the copy is called (`%(name)s` is the other's name)."""
    journey = known(desk, journey_id)
    name = called % {"name": journey.name[: NAME_AT_MOST - len(called)]}
    made = _begin(desk, name, _draft(desk, journey_id))
    # Who drew the original drew the copy: they may not approve it either.
    sidedrafts.join_editors(desk.connection, desk.workspace_id, made.id, journey.editors)
    desk.note("journey.create", f"journey:{made.id}", None, {"name": name, "copy_of": journey_id})
    return made


def _begin(desk: Desk, name: str, raw: Mapping[str, Json]) -> Journey:
    saving = Saving(raw, desk.actor, desk.now)
    made = journeys.add(desk.connection, desk.workspace_id, name, saving)
    drafts.keep(desk.connection, desk.workspace_id, made.id, made.revision, saving)
    _count_maker(desk, made.id)
    return made


def _count_maker(desk: Desk, journey_id: int) -> None:
    """Who made the key or link that this is done with may be the one who does it."""
    if desk.maker is not None:
        sidedrafts.join_editors(desk.connection, desk.workspace_id, journey_id, [desk.maker])


def save_draft(desk: Desk, journey_id: int, revision: int, raw: Mapping[str, Json]) -> int | None:
    """The new revision; None where somebody else saved since. A change of meaning voids what was handed in."""
    document = documents.load(raw)
    saving = Saving(raw, desk.actor, desk.now)
    saved = journeys.save_draft(desk.connection, desk.workspace_id, journey_id, revision, saving)
    if saved is not None:
        drafts.keep(desk.connection, desk.workspace_id, journey_id, saved, saving)
        _count_maker(desk, journey_id)
        kept = bound_hash(desk.connection, desk.catalog, desk.workspace_id, document)
        submissions.void(desk.connection, desk.workspace_id, journey_id, kept)
        after = {"revision": saved, "content_hash": kept, "steps": len(document.nodes)}
        desk.note("journey.edit", f"journey:{journey_id}", {"revision": revision}, after)
    return saved


def check(desk: Desk, journey_id: int) -> Submitted:
    """What is wrong with the draft, checked against the accounts there are now."""
    document = documents.load(_draft(desk, journey_id))
    problems = validate(document, desk.catalog, accounts=accounts.channels(desk.connection, desk.workspace_id))
    problems += seasons.problems(desk.connection, desk.workspace_id, journey_id, document)
    problems += seasons.over(desk.connection, desk.workspace_id, document, desk.now)
    return Submitted(bound_hash(desk.connection, desk.catalog, desk.workspace_id, document), problems)


def submit(desk: Desk, journey_id: int) -> Submitted:
    """Hand in the draft for review; errors keep it from being handed in. The same draft twice is one submission."""
    _count_maker(desk, journey_id)
    journey = known(desk, journey_id, lock=True)
    found = check(desk, journey_id)
    _refuse_errors(found.problems)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    if last is None or last.status not in ("open", "approved") or last.content_hash != found.content_hash:
        handed = submissions.Handed(found.content_hash, _draft(desk, journey_id), journey.editors, desk.actor)
        submissions.add(desk.connection, desk.workspace_id, journey_id, handed, desk.now)
        after = {"content_hash": found.content_hash, "revision": journey.revision}
        desk.note("journey.submit", f"journey:{journey_id}", None, after)
        plan = _plan(desk, documents.load(handed.document), Label(desk.workspace_id, journey_id, 0))
        fuses.set_reach(desk.connection, desk.workspace_id, journey_id, reaching.reach(desk.connection, plan, desk.now))
    return found


def review(
    desk: Desk,
    journey_id: int,
    decision: Decision,
    content_hash: str,
    comment: str = "",
    *,
    bound: Conditions = condition.NONE,
) -> Literal["approved", "rejected", "open"]:
    """Approve (bound to conditions) or reject with a reason; the status of the submission after it.

    It stays open while it takes another approval: of more people than one may decide about, two others have to.
    """
    _refuse_unsaid(desk, decision, comment, bound)
    journey = known(desk, journey_id, lock=True)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    if last is None or last.status not in ("open", "approved"):
        raise RefusedError("conflict", _("Nothing is handed in for review; submit the draft first."))
    if content_hash != last.content_hash or content_hash != _present_hash(desk, journey_id):
        raise RefusedError("conflict", _("The draft or something it depends on changed since; submit it anew."))
    _refuse_nobody(desk.actor)
    own = own_part(desk.actor, desk.maker, journey, last)
    if own:
        raise RefusedError("forbidden", own)
    said = submissions.Opinion(desk.actor, decision, comment, condition.dump(bound), desk.maker)
    submissions.add_review(desk.connection, desk.workspace_id, last.id, said, desk.now)
    status: Literal["approved", "rejected", "open"] = "rejected"  # also by a second reviewer, after an approval
    if decision == "approve":
        status = "approved" if approval_of(desk, journey, last).enough else "open"
    submissions.decide(desk.connection, desk.workspace_id, last.id, status)
    after = {"status": status, "content_hash": content_hash, "comment": comment, "conditions": condition.dump(bound)}
    desk.note(f"journey.{decision}", f"journey:{journey_id}", {"status": last.status}, after)
    return status


def publish(desk: Desk, journey_id: int, content_hash: str) -> tuple[int, str]:
    """Make the approved draft the live version; its number, and the status of the journey after it."""
    last, given = _approved(desk, journey_id, content_hash)
    raw = submissions.document(desk.connection, desk.workspace_id, last.id)
    channels = accounts.channels(desk.connection, desk.workspace_id)
    document = documents.load(raw)
    _refuse_errors(validate(document, desk.catalog, accounts=channels))
    _refuse_errors(seasons.problems(desk.connection, desk.workspace_id, journey_id, document))
    submissions.decide(desk.connection, desk.workspace_id, last.id, "published")
    return _go_live(desk, journey_id, raw, Approved(content_hash, condition.dump(given.conditions)))


def _go_live(desk: Desk, journey_id: int, raw: Mapping[str, Json], approved: Approved) -> tuple[int, str]:
    connection, workspace_id = desk.connection, desk.workspace_id
    bound = condition.load(approved.conditions)
    version = journeys.add_version(connection, workspace_id, journey_id, approved, Saving(raw, desk.actor, desk.now))
    if bound.entries_at_most is not None:
        admissions.open_cap(connection, workspace_id, version.id, bound.entries_at_most)
    failpoint("CP28")
    status = journeys.switch(connection, workspace_id, journey_id, version.id, desk.now)
    plan = _plan(desk, documents.load(raw), Label(workspace_id, journey_id, version.id, version.number))
    _schedule(desk, plan, bound.not_before)
    fuses.approve(connection, workspace_id, journey_id, reaching.sends(plan))
    versions.bump(connection)
    after = {"version": version.number, "status": status, **approved._asdict()}
    desk.note("journey.publish", f"journey:{journey_id}", None, after)
    failpoint("CP29")
    return version.number, status


def allow(desk: Desk, raw: Mapping[str, Json]) -> Policies:
    """Set the workspace's caps and quiet hours; they hold from the next batch on. DocumentError where they are none."""
    found = policies.load(raw)
    before = workspaces.policies(desk.connection, desk.workspace_id)
    workspaces.set_policies(desk.connection, desk.workspace_id, policies.dump(found))
    versions.bump(desk.connection)
    desk.note("policy.change", "workspace", before, policies.dump(found))
    return found


def ask_two(desk: Desk, people: int | None) -> None:
    """Over so many reachable people an approval takes two from now on; None: one is always enough."""
    before = workspaces.second_over(desk.connection, desk.workspace_id)
    workspaces.set_second_over(desk.connection, desk.workspace_id, people)
    desk.note("policy.review", "workspace", {"second_over": before}, {"second_over": people})


def bound_hash(connection: Connection, catalog: Catalog, workspace_id: int, document: Document) -> str:
    """The content hash of a document with all it depends on: accounts as they are configured now, installed node types."""
    types = sorted({node.type for node in document.nodes})
    needed: dict[str, Json] = {f"node:{name}": catalog[name].version if name in catalog else None for name in types}
    names = sorted(_accounts(document, catalog))
    found = accounts.named(connection, workspace_id, names)
    needed |= {f"account:{name}": _fingerprint(found.get(name)) for name in names}
    return documents.content_hash(document, needed)


def _fingerprint(account: accounts.Account | None) -> str | None:
    if account is None:
        return None
    text = json.dumps([account.channel, account.settings, account.sealed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _accounts(document: Document, catalog: Catalog) -> set[str]:
    names = {
        node.settings.get("account")
        for node in document.nodes
        if (kind := catalog.get(node.type)) is None or kind.channel is not None
    }
    return {name for name in names if isinstance(name, str)}


def _present_hash(desk: Desk, journey_id: int) -> str:
    return bound_hash(desk.connection, desk.catalog, desk.workspace_id, documents.load(_draft(desk, journey_id)))


def _draft(desk: Desk, journey_id: int) -> dict[str, Any]:
    raw = journeys.draft(desk.connection, desk.workspace_id, journey_id)
    if raw is None:
        raise RefusedError("missing", "journey")
    return raw


def approval_of(desk: Desk, journey: Journey, last: Submission) -> Approval:
    """How far the approval of a submission is now."""
    raw = submissions.document(desk.connection, desk.workspace_id, last.id)
    plan = _plan(desk, documents.load(raw), Label(desk.workspace_id, journey.id, 0))
    return approvals.approval(desk.connection, desk.workspace_id, journey, last, plan, desk.now)


def _approved(desk: Desk, journey_id: int, content_hash: str) -> tuple[Submission, Approval]:
    """The submission with this hash, approved by enough people who edited nothing in it (invariant I13)."""
    journey = known(desk, journey_id, lock=True)
    last = submissions.latest(desk.connection, desk.workspace_id, journey_id)
    if last is None or last.status != "approved":
        raise RefusedError(
            "conflict", _("This draft has no approval; submit it and have it reviewed by somebody else.")
        )
    if content_hash != last.content_hash or content_hash != _present_hash(desk, journey_id):
        raise RefusedError("conflict", _("The draft or what it depends on is not what was approved; submit it anew."))
    given = approval_of(desk, journey, last)
    if not given.approvers:
        raise RefusedError("conflict", _("Who approved this draft has edited it since; somebody else must review it."))
    if not given.enough:
        raise RefusedError("conflict", _("So many people can be reached that a second reviewer must approve it too."))
    return last, given


def _refuse_errors(problems: list[Problem]) -> None:
    found = errors(problems)
    if found:
        raise RefusedError("invalid", _("The journey has errors; mend them first."), tuple(found))


def _refuse_unsaid(desk: Desk, decision: Decision, comment: str, bound: Conditions) -> None:
    if decision == "reject" and not comment.strip():
        raise RefusedError("invalid", REASON_NEEDED)
    if decision == "reject" and bound:
        raise RefusedError("invalid", _("Only an approval has conditions; what is sent back goes out to nobody."))
    if bound.not_before is not None and bound.not_before <= desk.now:
        raise RefusedError("invalid", _("The start must lie ahead: give a later moment, or leave it out."))


def _refuse_nobody(actor: str) -> None:
    if actor.startswith("key:"):
        raise RefusedError("forbidden", _("An approval needs a person: use a key that stands for one, or the page."))


def own_part(actor: str, maker: str | None, journey: Journey, last: Submission) -> str:
    """Why somebody may not decide about what was handed in; empty where they may."""
    editors = {*last.editors, *journey.editors}
    if actor in editors:
        return _("You edited this draft, so somebody else must review it.")
    if actor == last.submitted_by:
        return _("You handed this draft in, so somebody else must review it.")
    if maker is not None and maker in {*editors, last.submitted_by}:
        return _(
            "Who made the link or key you use edited this draft or handed it in: sign in with your own password first."
        )
    return ""


def _plan(desk: Desk, document: Document, label: Label) -> Plan:
    timezone = users.timezone(desk.connection, desk.workspace_id)
    return compile_plan(document, desk.catalog, replace(label, timezone=timezone))


def _schedule(desk: Desk, plan: Plan, not_before: datetime | None) -> None:
    """When the segment, schedule and date entries of a version fire first; those of older versions fire no more."""
    timed = [(step.id, step.start) for step in plan.entries if step.start and step.start.kind not in ("event", "api")]
    zones = schedules.zones(desk.connection, [desk.workspace_id]).get(desk.workspace_id, []) if timed else []
    firings = [
        (id, start.kind, calendar.first_firing(start, zones, plan.timezone, desk.now, not_before))
        for id, start in timed
    ]
    schedules.replace(desk.connection, desk.workspace_id, plan.journey_id, plan.version_id, firings)
