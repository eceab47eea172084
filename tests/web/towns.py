"""Two workspaces full of real things, one of them in two scopes, and everybody who might ask for them: for `test_matrix.py`.

Whatever a thing says of itself carries the mark of whose it is, so that a single leaked word is found in any answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql
from starlette.testclient import TestClient

from app import audit, auth
from app.auth import Scopes
from app.database import Connection, transaction
from app.lanes import lane_of
from app.store import keys, users
from tests.web.conftest import Api, Staff, flow, go_live

NOW = datetime.now(UTC)
SEARCHED = "zq7"  # what may be typed into a search, and so be echoed
PRIVATE = "zq7-told-in-confidence"  # of a contact, flagged as personal: nothing for viewers
SECRET_OF_HOOKS = "the-hook-secret-of-a-town"


@dataclass
class Things:
    """One of everything that an address can name, each with the mark on it."""

    mark: str
    workspace_id: int
    number: int  # of contact, walk and message
    ids: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Somebody:
    """Who asks: a key for programs, a session for pages; neither is nobody."""

    name: str
    role: str
    key: str = ""
    cookie: str = ""
    scopes: Scopes = None
    session_id: int = 0
    workspace_id: int = 0

    def headers(self, *, page: bool) -> dict[str, str]:
        if page:
            mine = {"Cookie": f"journey_session={self.cookie}"} if self.cookie else {}
            return {"Origin": "http://testserver", "Accept": "text/html", **mine}
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def document(made: Things) -> dict[str, Any]:
    """A flow whose steps, words and account bear the mark."""
    mark, drawn = made.mark, flow()
    for node in drawn["nodes"]:
        node["name"] = f"{mark} step {node['id']}"
    drawn["nodes"][2] = {
        "id": "note",
        "type": "send.email",
        "version": 1,
        "name": f"{mark} letter",
        "settings": {"account": made.ids["name"], "subject": f"{mark} subject", "html": f"<p>{mark} body</p>"},
    }
    return drawn


class Builder:
    """Makes things by the API where there is a door, else as the stages would have left them."""

    def __init__(self, client: TestClient, connection: Connection, staff: Staff) -> None:
        self.client, self.connection, self.staff = client, connection, staff
        self.operator, self.reviewer, self.admin = (
            Api(client, staff.keys[role]) for role in ("operator", "reviewer", "admin")
        )

    def build(self, mark: str, number: int, *, scope: str = "", account: str = "") -> Things:
        """One of everything."""
        made = Things(mark, self.staff.workspace_id, number)
        made.ids["name"] = account or f"{mark}-mail"  # accounts bear no scope
        settings = {"host": f"{made.ids['name']}.example.com", "from_address": f"{made.ids['name']}@example.com"}
        wish = {"channel": "email", "settings": {**settings, "hook_secret": SECRET_OF_HOOKS}}
        self.admin.ok("PUT", f"/accounts/{made.ids['name']}", wish)
        made.ids["plan_id"] = self.operator.ok("POST", "/plans", {"name": f"{mark} plan", "scene": "retain"})["id"]
        made.ids["journey_id"] = self._journey(made)
        aside = self.operator("POST", f"/journeys/{made.ids['journey_id']}/drafts", {"name": f"{mark} aside"})
        made.ids |= {"draft_id": aside.json()["id"]} if aside.status_code == 201 else {}  # where drafts are kept aside
        self._staff(made)
        with transaction(self.connection):
            self._contact(made)
            self._walk(made)
            self._said(made)
        if scope:
            for kind in ("journey", "plan"):
                path = f"/{kind}s/{made.ids[f'{kind}_id']}/scope"
                assert self.operator.ok("PUT", path, {"scope": scope})["scope"] == scope
        return made

    def _journey(self, made: Things) -> int:
        """Live in its second version; a third draft is handed in."""
        id = int(
            self.operator.ok("POST", "/journeys", {"name": f"{made.mark} journey", "document": document(made)})["id"]
        )
        go_live(self.operator, self.reviewer, id)
        for minutes in (20, 30):
            changed = document(made)
            changed["nodes"][1]["settings"]["duration"] = f"PT{minutes}M"
            tag = self.operator("GET", f"/journeys/{id}/draft").headers["etag"]
            self.operator.ok("PUT", f"/journeys/{id}/draft", {"document": changed}, headers={"If-Match": tag})
            if minutes == 20:
                go_live(self.operator, self.reviewer, id)
        self.operator.ok("POST", f"/journeys/{id}/submit")
        return id

    def _staff(self, made: Things) -> None:
        wish = {"email": f"{made.mark}@staff.example", "name": f"{made.mark} person", "role": "viewer"}
        made.ids["user_id"] = self.admin.ok("POST", "/users", wish)["id"]
        made.ids["key_id"] = self.admin.ok("POST", "/keys", {"name": f"{made.mark} key", "role": "viewer"})["id"]
        with transaction(self.connection):
            auth.begin_session(self.connection, made.workspace_id, int(made.ids["user_id"]), NOW)
            made.ids["session_id"] = self._one("SELECT max(id) FROM key")

    def _contact(self, made: Things) -> None:
        lane = lane_of(made.workspace_id, made.number)
        made.ids["contact_id"] = made.number
        facts = {"name": f"{made.mark} name", "city": f"{made.mark} city", "phone": f"{PRIVATE} {made.mark}"}
        self._do(
            "INSERT INTO contact (workspace_id, lane, id, attributes, tags, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, ARRAY[%s], now(), now())",
            *(
                made.workspace_id,
                lane,
                made.number,
                json.dumps(facts),
                f"{made.ids['name']}-tag",
            ),  # the words of rules bear no scope
        )
        for kind, value in (
            ("phone", f"+86138{made.number}"),
            ("user_id", f"{made.mark}-user"),
            ("email", f"{PRIVATE}.{made.mark}@example.com"),
        ):
            self._do(
                "INSERT INTO identity (workspace_id, kind, value, contact_id, created_at) VALUES (%s, %s, %s, %s, now())",
                *(made.workspace_id, kind, value, made.number),
            )

    def _walk(self, made: Things) -> None:
        lane, journey = lane_of(made.workspace_id, made.number), made.ids["journey_id"]
        version = self._one("SELECT live_version_id FROM journey WHERE id = %s", journey)
        place = (made.workspace_id, lane, made.number)
        self._do(
            "INSERT INTO enrollment (workspace_id, lane, id, contact_id, slot, entered_at, since, rested_at, journey_id,"
            " version_id, status, walks, node, key) VALUES (%s, %s, %s, %s, 0, now(), now(), now(), %s, %s, 0, 1, 'pause', '')",
            *(*place, made.number, journey, version),
        )
        made.ids["message_id"] = made.number
        self._do(
            "INSERT INTO message (workspace_id, lane, enrollment_id, node, visit, id, contact_id, created_at, due_at, sent_at,"
            " journey_id, version_id, status, channel, marketing, account, recipient, title, content, provider_id, reason)"
            " VALUES (%s, %s, %s, 'note', 1, %s, %s, now(), now(), now(), %s, %s, 2, 'email', true, %s, %s, %s, %s, %s, %s)",
            *(
                *place,
                made.number,
                made.number,
                journey,
                version,
                made.ids["name"],
                f"{PRIVATE}.{made.mark}@example.com",
            ),
            *(f"{made.mark} title", json.dumps({"subject": made.mark, "html": made.mark}), made.mark, made.mark),
        )
        said = "INSERT INTO receipt (workspace_id, message_id, kind, provider_event_id, at, detail) VALUES"
        self._do(
            f"{said} (%s, %s, 'clicked', '1', now(), %s)",
            made.workspace_id,
            made.number,
            json.dumps({"url": made.mark}),
        )
        late = "INSERT INTO caught (workspace_id, channel, recipient, title, content, caught_at)"
        shown = json.dumps({"html": f"{made.mark} mail", "text": f"{made.mark} mail", "headers": {}})
        self._do(
            f"{late} VALUES (%s, 'email', %s, %s, %s, now())",
            *(made.workspace_id, f"{made.mark}@example.com", f"{made.mark} caught", shown),
        )
        made.ids["caught"] = self._one("SELECT max(id) FROM caught")

    def _said(self, made: Things) -> None:
        """What people of the house said and did about it."""
        journey = made.ids["journey_id"]
        self._do(
            "INSERT INTO comment (workspace_id, journey_id, author, text, created_at) VALUES (%s, %s, 'system', %s, now())",
            *(made.workspace_id, journey, f"{made.mark} comment"),
        )
        made.ids["comment_id"] = self._one("SELECT max(id) FROM comment")
        version = self._one("SELECT live_version_id FROM journey WHERE id = %s", journey)
        self._do(
            "INSERT INTO migration (workspace_id, journey_id, version_id, status, begun_at, begun_by)"
            " VALUES (%s, %s, %s, 'running', now(), 'system')",
            *(made.workspace_id, journey, version),
        )
        made.ids["migration_id"] = self._one("SELECT max(id) FROM migration")
        audit.record(
            self.connection, made.workspace_id, "system", "plan.change", f"plan:{made.ids['plan_id']}", None,
            {"name": f"{made.mark} audited"}, NOW,
        )  # fmt: skip

    def hire(self, role: str, scopes: tuple[str, ...] | None = None) -> Somebody:
        """Somebody new with a key and a session."""
        name = role if scopes is None else f"{role} of {scopes[0]}"
        with transaction(self.connection):
            email = f"{name.replace(' ', '.')}@{self.staff.workspace_id}.example"
            user = users.add(
                self.connection, self.staff.workspace_id, email=email, name=name, role=role, now=NOW, scopes=scopes
            )
            assert user is not None
            token = auth.new_token()
            row = keys.New(self.staff.workspace_id, f"key of {name}", role, token.prefix, token.digest, user.id)
            keys.add(self.connection, row, NOW)
            cookie = auth.begin_session(self.connection, self.staff.workspace_id, user.id, NOW, idle=timedelta(days=1))
            session = self._one("SELECT max(id) FROM key")
        return Somebody(name, role, token.text, cookie, scopes, session, self.staff.workspace_id)

    def _do(self, query: str, *values: Any) -> None:
        self.connection.execute(query.encode(), values)

    def _one(self, query: str, *values: Any) -> int:
        row = self.connection.execute(query.encode(), values).fetchone()
        assert row is not None
        return int(row[0])


def dump(connection: Connection, workspace_id: int) -> Mapping[str, tuple[int, int]]:
    """How many rows a workspace has in each table, and a sum over all that stands in them."""
    tables = connection.execute(
        "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND c.column_name = 'workspace_id' AND t.table_type = 'BASE TABLE'"
        " ORDER BY 1"
    ).fetchall()
    queries = [
        sql.SQL(
            "SELECT {}, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t WHERE {} = {}"
        ).format(sql.Literal(name), sql.Identifier(name), sql.Identifier(column), sql.Literal(workspace_id))
        for name, column in [*((name, "workspace_id") for (name,) in tables), ("workspace", "id")]
    ]
    rows = connection.execute(sql.SQL(" UNION ALL ").join(queries)).fetchall()
    connection.rollback()
    assert len(rows) > 30
    return {name: (count, total) for name, count, total in rows}


def standing(connection: Connection, things: Things) -> list[tuple[str, ...]]:
    """All that an operator could change of one scope's things."""
    rows = connection.execute(
        "SELECT t::text FROM journey t WHERE id = %(journey_id)s UNION ALL SELECT t::text FROM plan t WHERE id = %(plan_id)s"
        " UNION ALL SELECT t::text FROM comment t WHERE journey_id = %(journey_id)s"
        " UNION ALL SELECT t::text FROM message t WHERE journey_id = %(journey_id)s"
        " UNION ALL SELECT t::text FROM contact t WHERE id = %(contact_id)s",
        things.ids,
    ).fetchall()
    connection.rollback()
    return rows


PARENTS = {
    "journey_id": "journey",
    "plan_id": "plan",
    "version_id": "version",
    "user_id": "users",
    "submission_id": "submission",
    "migration_id": "migration",
    "live_version_id": "version",
}


def strays(connection: Connection) -> list[tuple[str, str, int]]:
    """Rows whose parent is another workspace's (invariant I12), in every table that names a parent."""
    columns = connection.execute(
        "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        " AND c.column_name = ANY(%s) AND EXISTS (SELECT FROM information_schema.columns w WHERE w.table_schema = 'public'"
        " AND w.table_name = c.table_name AND w.column_name = 'workspace_id')",
        (list(PARENTS),),
    ).fetchall()
    assert len(columns) > 15
    queries = [
        sql.SQL(
            "SELECT {}, {}, count(*) FROM {} t JOIN {} p ON p.id = t.{} AND p.workspace_id <> t.workspace_id"
        ).format(
            sql.Literal(table),
            sql.Literal(column),
            sql.Identifier(table),
            sql.Identifier(PARENTS[column]),
            sql.Identifier(column),
        )
        for table, column in columns
    ]
    rows = connection.execute(sql.SQL(" UNION ALL ").join(queries)).fetchall()
    connection.rollback()
    return [row for row in rows if row[2]]
