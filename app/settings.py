"""Every setting of the program, in one class, read from `JOURNEY_*` variables and from `.env`.

This is the only module that reads the environment; everybody else is handed a `Settings` value. It never opens a
connection, and never prints or repeats the value of a secret.
"""

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "JOURNEY_"
SECRET_BYTES = 32
SECRET_DISTINCT = 10
SECRET_FILE = "secret"
WELL_KNOWN = (
    "changeme",
    "changethis",
    "change-me",
    "default",
    "example",
    "insecure",
    "password",
    "mysecret",
    "supersecret",
)


class SettingsError(Exception):
    """A setting that cannot be used; the text names the variable and what to do."""


class Settings(BaseSettings):
    """What an operator of the program may choose; every field has a default that works on one machine."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, populate_by_name=True, validate_default=True
    )

    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65533, description="Port of the web server, 1 to 65533.")
    base_url: str = Field(
        "", description="Where people outside reach this server, for links in messages; http://host:port if left out."
    )
    data: Path = Field(Path("var"), description="Folder of everything local: servers, secret, logs.")
    database_url: str | None = Field(
        None, description="A PostgreSQL to use, such as postgresql://user@host/name; left out, a local one is started."
    )
    redis_url: str | None = Field(
        None, description="A Redis or Valkey to use, such as redis://host:6379/0; left out, a local one is started."
    )
    postgres_major: int | None = Field(
        None,
        ge=15,
        le=99,
        validation_alias=AliasChoices("postgres_major", "JOURNEY_POSTGRES_MAJOR", "PGSERVER_POSTGRES_VERSION"),
        description="Major version of the local PostgreSQL, if several are installed; the newest otherwise.",
    )
    pool_size: int = Field(10, ge=2, le=200, description="Most database connections the web process opens.")
    secret: SecretStr | None = Field(
        None,
        description="Key that signs links and seals credentials: at least 32 random bytes, the same on every machine;"
        " `openssl rand -hex 32` makes one. `journey run` keeps its own in the data folder.",
    )
    sink: bool = Field(
        False, description="Catch all messages locally instead of handing them to providers; on in `journey run`."
    )
    sink_smtp_port: int = Field(0, ge=0, le=65535, description="Port of the local mail catcher; port + 1 if 0.")
    sink_http_port: int = Field(0, ge=0, le=65535, description="Port of the local HTTP catcher; port + 2 if 0.")
    egress_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Private addresses that webhooks may reach all the same: host:port, separated by commas."
    )
    event_bytes: int = Field(32_768, ge=1_024, le=10_000_000, description="Largest single event, in bytes.")
    batch_bytes: int = Field(512_000, ge=1_024, le=100_000_000, description="Largest batch of events, in bytes.")
    batch_limit: int = Field(5_000, ge=1, le=100_000, description="Most contacts or events in one transaction.")
    tracks: int = Field(2, ge=1, le=16, description="Loops of one worker process; while one thinks, another writes.")
    failpoint: str | None = Field(
        None, description="For tests only: where the worker is to break, NAME:kill|raise|stop:COUNT (RELIABILITY §4b)."
    )
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    @field_validator("egress_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("egress_allow")
    @classmethod
    def _host_and_port(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            host, _, port = entry.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"“{entry}” is not host:port")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres_only(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            raise ValueError("it must begin with postgresql://, other databases do not work")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_only(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("secret")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _refuse_weak(value.get_secret_value())
        return value

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: dict[str, Any]) -> dict[str, Any]:
        # An empty variable (`JOURNEY_PORT= make run`) means the default, as it does in a shell.
        return {name: value for name, value in values.items() if value != ""}

    @model_validator(mode="after")
    def _derive(self) -> Self:
        # `object.__setattr__`, because the value is frozen for everybody else.
        reachable = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host
        if not self.base_url:
            object.__setattr__(self, "base_url", f"http://{reachable}:{self.port}")
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError("base_url must begin with http:// or https://")
        object.__setattr__(self, "sink_smtp_port", self.sink_smtp_port or self.port + 1)
        object.__setattr__(self, "sink_http_port", self.sink_http_port or self.port + 2)
        return self

    @property
    def secret_bytes(self) -> bytes:
        """The signing key; raises a clear sentence where none was given."""
        if self.secret is None:
            raise SettingsError(
                "JOURNEY_SECRET is not set; put at least 32 random bytes into it, such as `openssl rand -hex 32` makes."
            )
        return self.secret.get_secret_value().encode()


def for_child(**more: str) -> dict[str, str]:
    """The environment of a process that we start: ours, with some settings of its own."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **more}


def load(**overrides: Any) -> Settings:
    """Settings from the environment, with what the command line says on top; `None` means “not said”."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None


def with_secret(settings: Settings) -> Settings:
    """The same settings with a secret: the given one, else one made once and kept in the data folder, mode 0600."""
    if settings.secret is not None:
        return settings
    path = settings.data / SECRET_FILE
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        _create_once(path, secrets.token_hex(SECRET_BYTES))
        kept = path.read_text(encoding="ascii").strip()
        _refuse_weak(kept)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The secret in {path} cannot be used ({error}); mend or remove the file, or set JOURNEY_SECRET."
        ) from None
    return settings.model_copy(update={"secret": SecretStr(kept)})


def _create_once(path: Path, text: str) -> None:
    # Written aside and linked into place, so that two starts at once agree on one secret and none reads half of it.
    if path.exists():
        return
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()


def _refuse_weak(secret: str) -> None:
    if len(secret.encode()) < SECRET_BYTES:
        raise ValueError(f"it is shorter than {SECRET_BYTES} bytes; `openssl rand -hex 32` makes a good one")
    if len(set(secret)) < SECRET_DISTINCT or any(word in secret.lower() for word in WELL_KNOWN):
        raise ValueError("it is a well-known or repeated value; `openssl rand -hex 32` makes a good one")


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    message = str(problem["msg"]).removeprefix("Value error, ")
    if name not in Settings.model_fields:
        field = next((field for field in Settings.model_fields if message.startswith(field)), name)
        return f"{PREFIX}{field.upper()} cannot be used: {message}."
    shown = "" if name == "secret" or name.endswith("_url") else f" (it is {problem['input']!r})"
    return f"{PREFIX}{name.upper()} cannot be used: {message}{shown}. {Settings.model_fields[name].description}"
