"""Settings: what is refused, and whether the sentence that refuses it helps."""

import stat
from pathlib import Path

import pytest

from app.settings import SECRET_FILE, Settings, SettingsError, load, with_secret

GOOD_SECRET = "bY7kQ2-xr9Wd_4mZ1uTn8Pv6Hs3Lc5Ga"


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no `.env` of whoever runs the tests."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"JOURNEY_{field.upper()}", raising=False)
    monkeypatch.delenv("PGSERVER_POSTGRES_VERSION", raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_set_works_on_one_machine() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.data) == ("127.0.0.1", 8000, Path("var"))
    assert settings.base_url == "http://127.0.0.1:8000"
    assert (settings.sink_smtp_port, settings.sink_http_port) == (8001, 8002)
    assert (settings.database_url, settings.redis_url, settings.secret) == (None, None, None)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("JOURNEY_PORT", "eighty", "JOURNEY_PORT cannot be used: .*integer.*it is 'eighty'.*1 to 65533"),
        ("JOURNEY_PORT", "70000", "JOURNEY_PORT cannot be used: .*65533"),
        ("JOURNEY_DATABASE_URL", "mysql://root:hunter2@db/x", "JOURNEY_DATABASE_URL cannot be used: .*postgresql://"),
        ("JOURNEY_REDIS_URL", "http://cache", "JOURNEY_REDIS_URL cannot be used: .*redis://"),
        ("JOURNEY_BASE_URL", "ftp://here", "JOURNEY_BASE_URL cannot be used: .*http"),
        ("JOURNEY_EGRESS_ALLOW", "localhost", "JOURNEY_EGRESS_ALLOW cannot be used: “localhost” is not host:port"),
        ("JOURNEY_EGRESS_ALLOW", "a:1,b:70000", "“b:70000” is not host:port"),
        ("JOURNEY_LOG_FORMAT", "xml", "JOURNEY_LOG_FORMAT cannot be used: .*'console' or 'json'"),
        ("JOURNEY_EVENT_BYTES", "0", "JOURNEY_EVENT_BYTES cannot be used"),
        ("JOURNEY_SECRET", "too short", "JOURNEY_SECRET cannot be used: it is shorter than 32 bytes; `openssl"),
        ("JOURNEY_SECRET", "changeme" * 8, "JOURNEY_SECRET cannot be used: it is a well-known or repeated value"),
        ("JOURNEY_SECRET", "this-is-my-Password-for-journeys-42", "well-known"),
        ("JOURNEY_SECRET", "ab" * 32, "repeated"),
        ("PGSERVER_POSTGRES_VERSION", "newest", "JOURNEY_POSTGRES_MAJOR cannot be used"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable_and_what_to_do(
    variable: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=sentence) as caught:
        load()
    assert "\n" not in str(caught.value)
    if variable in {"JOURNEY_SECRET", "JOURNEY_DATABASE_URL"}:
        assert value not in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_each_wrong_value_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_PORT", "x")
    monkeypatch.setenv("JOURNEY_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        load()
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["JOURNEY_PORT", "JOURNEY_LOG_LEVEL"]


def test_the_command_line_wins_over_variables_and_those_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("JOURNEY_PORT=7001\nJOURNEY_HOST=0.0.0.0\nOTHER=1\n", encoding="utf-8")
    assert load().port == 7001
    assert load().base_url == "http://127.0.0.1:7001"
    monkeypatch.setenv("JOURNEY_PORT", "7002")
    assert load(port=None).port == 7002
    assert load(port=7003).port == 7003


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "SECRET", "EGRESS_ALLOW", "POSTGRES_MAJOR"):
        monkeypatch.setenv(f"JOURNEY_{name}", "")
    settings = load()
    assert (settings.port, settings.database_url, settings.secret, settings.egress_allow) == (8000, None, None, ())


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_EGRESS_ALLOW", "127.0.0.1:8026, [::1]:9000 ,hooks.local:80")
    assert load().egress_allow == ("127.0.0.1:8026", "[::1]:9000", "hooks.local:80")


def test_a_secret_is_made_once_and_kept_where_only_its_owner_reads(tmp_path: Path) -> None:
    settings = load(data=tmp_path / "var")
    with pytest.raises(SettingsError, match="JOURNEY_SECRET is not set"):
        _ = settings.secret_bytes
    first, second = with_secret(settings), with_secret(settings)
    assert first.secret_bytes == second.secret_bytes
    assert len(first.secret_bytes) >= 32
    kept = tmp_path / "var" / SECRET_FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == [SECRET_FILE]
    assert with_secret(load(data=tmp_path / "other")).secret_bytes != first.secret_bytes


def test_a_given_secret_is_used_and_never_shown() -> None:
    settings = with_secret(load(secret=GOOD_SECRET))
    assert settings.secret_bytes == GOOD_SECRET.encode()
    assert GOOD_SECRET not in f"{settings!r} {settings} {settings.model_dump()}"


def test_a_spoilt_secret_file_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_text("oops\n", encoding="ascii")
    with pytest.raises(SettingsError, match=rf"{SECRET_FILE} cannot be used \(it is shorter.*JOURNEY_SECRET"):
        with_secret(load(data=tmp_path))
