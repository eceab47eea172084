"""The command line. Says how each command is called; what it does stands in `app/commands` and is loaded when it runs.

Output that programs read goes to standard output, everything else to standard error. An error is one sentence and a code;
JOURNEY_DEBUG=1 shows where it came from.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from app.settings import Settings

WELL, WRONG, STOPPED = 0, 1, 130

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
user = typer.Typer(help="People who work here.", no_args_is_help=True)
key = typer.Typer(help="Keys for programs.", no_args_is_help=True)
app.add_typer(user, name="user")
app.add_typer(key, name="key")
audit = typer.Typer(help="The log of every change.", no_args_is_help=True)
app.add_typer(audit, name="audit")

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of everything local. [default: var]", show_default=False)
]
Port = Annotated[int | None, typer.Option("--port", help="Port of the web server. [default: 8000]", show_default=False)]
Host = Annotated[
    str | None, typer.Option("--host", help="Address to listen on. [default: 127.0.0.1]", show_default=False)
]


class _Edge:
    """What becomes of an error: one sentence, or everything (JOURNEY_DEBUG)."""

    debugging = False


@app.callback()
def begin(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="JOURNEY_DEBUG", help="Show where errors come from.")
    ] = False,
) -> None:
    """Journey Canvas: draw customer journeys, and walk every contact through them."""
    _Edge.debugging = debug


@app.command()
def run(
    port: Port = None,
    data: Data = None,
    host: Host = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Begin with an invented shop, or empty.")] = True,
) -> None:
    """Start everything on this machine: database, web server, worker, message catcher, demo."""
    from app import run as running
    from app.commands.showing import showing

    settings = _settings(port=port, data=data, host=host, sink=True)
    with showing() as progress:
        raise typer.Exit(running.run(settings, want_demo=demo, say=_tell, progress=progress))


@app.command()
def serve(port: Port = None, data: Data = None, host: Host = None) -> None:
    """Run a web server; any number on any number of machines."""
    from app.commands import processes

    raise typer.Exit(processes.serve(_settings(port=port, data=data, host=host)))


@app.command()
def worker(data: Data = None) -> None:
    """Run a worker; any number on any number of machines, lanes spread by themselves."""
    from app.commands import processes

    raise typer.Exit(processes.work(_settings(data=data)))


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database's tables up to date."""
    from app.commands import processes

    missing = processes.migrate(_settings(data=data))
    _tell(f"Done: {', '.join(missing)}." if missing else "The tables are up to date.")


@app.command()
def check(port: Port = None, data: Data = None) -> None:
    """Look at everything the program needs; each line that fails names its fix."""
    from app.commands import doctor

    bad = 0
    marks = {"ok": ("✓", typer.colors.GREEN), "note": ("·", typer.colors.YELLOW), "bad": ("✗", typer.colors.RED)}
    for line in doctor.examine(_settings(port=port, data=data)):
        mark, colour = marks[line.state]
        typer.echo(f"{typer.style(mark, fg=colour)} {line.name:<12} {line.said}")
        if line.fix:
            typer.echo(f"{'':<14} → {line.fix}")
        bad += line.state == "bad"
    if bad:
        _tell(f"\n{bad} {'thing needs' if bad == 1 else 'things need'} mending.")
        raise typer.Exit(WRONG)


@app.command("confirm-restore")
def confirm_restore(data: Data = None) -> None:
    """Say that this is the installation that sends, after a restore or a copy; until then nothing goes out."""
    from app.commands import processes

    why = processes.confirm_restore(_settings(data=data))
    _tell(f"Confirmed; it was held because {why}. Messages go out again." if why else "Nothing was held.")


@app.command()
def demo(data: Data = None) -> None:
    """Fill an empty workspace with the invented shop; `journey run` does so by itself the first time."""
    from app.commands import processes
    from app.commands.showing import showing

    with showing() as progress:
        done = processes.seed(_settings(data=data), progress)
    _tell(
        "The shop is there; `journey run` opens it." if done else "The shop was there already; `journey run` opens it."
    )


@app.command()
def lint(file: Annotated[Path, typer.Argument(help="A flow document, YAML or JSON.")]) -> None:
    """Say what is wrong with a flow document: node, field, problem."""
    from app.commands import documents

    found = documents.lint(file)
    for one in found:
        typer.echo(one.line)
    errors = sum(1 for one in found if one.severity == "error")
    _tell(f"{file}: {errors} errors, {len(found) - errors} warnings." if found else f"{file}: nothing to complain of.")
    raise typer.Exit(WRONG if errors else WELL)


@app.command("test")
def run_scenarios(
    files: Annotated[list[Path], typer.Argument(help="Files with lists of scenarios.")], data: Data = None
) -> None:
    """Live scenarios through the real stages on a virtual clock, in a database made for it and dropped."""
    from app.commands import documents
    from app.commands.showing import showing

    failed = total = 0
    with showing() as progress:
        for one in documents.scenarios(_settings(data=data), files, progress):
            total += 1
            failed += bool(one.differences)
            typer.echo(f"{typer.style('✗', fg='red') if one.differences else typer.style('✓', fg='green')} {one.name}")
            for difference in one.differences:
                typer.echo(f"    {difference}")
    _tell(f"{total} scenarios, {failed} failed." if failed else f"{total} scenarios, all as expected.")
    raise typer.Exit(WRONG if failed else WELL)


@app.command("import")
def take_in(
    file: Path,
    name: Annotated[str | None, typer.Option(help="What the journey is called; the file's name if left out.")] = None,
    data: Data = None,
) -> None:
    """Take a flow document in as the draft of a new journey; prints its id."""
    from app.commands import documents

    typer.echo(documents.take_in(_settings(data=data), file, name))


@app.command("export")
def give_out(
    id: Annotated[int, typer.Argument(metavar="ID", help="The journey.")],
    version: Annotated[int | None, typer.Option(help="A published version; the draft if left out.")] = None,
    data: Data = None,
) -> None:
    """Print a journey as YAML with sorted keys, for files and Git."""
    from app.commands import documents

    typer.echo(documents.give_out(_settings(data=data), id, version), nl=False)


@app.command()
def bench(
    workload: Annotated[
        str, typer.Argument(help="blast, gate, accept, trigger, timers, migrate, lateness, fairness or all.")
    ],
    contacts: Annotated[int | None, typer.Option(min=100, help="How many; each workload has its own default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a workload and nothing else.")] = False,
    data: Data = None,
) -> None:
    """Measure this machine on a scratch database, beside bare COPY and the peers' figures."""
    from app.commands import bench as benches
    from app.commands.showing import showing

    results = []
    with showing() as progress:
        for one in benches.run(_settings(data=data), workload, contacts, progress):
            results.append(one)
            if as_json:
                typer.echo(json.dumps(one))
    if not as_json:
        typer.echo(benches.table(results), nl=False)


@user.command("add")
def add_user(
    email: str,
    name: Annotated[str, typer.Option(help="What they are called.")] = "",
    role: Annotated[str, typer.Option(help="viewer, operator, reviewer or admin.")] = "operator",
    data: Data = None,
) -> None:
    """Add somebody; prints the link that signs them in once, within the hour."""
    from app.commands import people

    typer.echo(people.add_user(_settings(data=data), email, name=name, role=role))


@user.command("link")
def link_user(
    email: Annotated[str | None, typer.Argument(help="Whom; the first admin if left out.")] = None, data: Data = None
) -> None:
    """Print a fresh link that signs somebody in once, within the hour."""
    from app.commands import people

    typer.echo(people.link(_settings(data=data), email))


@user.command("reset-second-step")
def reset_second_step(email: str, data: Data = None) -> None:
    """Let somebody who lost their phone and their recovery codes sign in with one step again."""
    from app.commands import people

    typer.echo(people.reset_second_step(_settings(data=data), email))


@key.command("add")
def add_key(
    role: Annotated[str, typer.Option(help="ingest (a write key), viewer, operator, reviewer or admin.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    data: Data = None,
) -> None:
    """Make a key and print it, alone; it is shown this once."""
    from app.commands import people

    typer.echo(people.new_key(_settings(data=data), name=name, role=role))


@audit.callback()
def begin_audit() -> None:
    """The log of every change."""


@audit.command("verify")
def verify_audit(
    noted: Annotated[
        str | None,
        typer.Option(
            "--head", "--noted", help="An end that this printed before ([workspace:]number:hash); it must still stand."
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Look through the log's chain of hashes; names the first row that was changed, taken out or put in."""
    from app.commands import audits

    wrong = 0
    for line in audits.verify(_settings(data=data), noted):
        typer.echo(f"{typer.style('✓', fg='green') if line.sound else typer.style('✗', fg='red')} {line.text}")
        wrong += not line.sound
    raise typer.Exit(WRONG if wrong else WELL)


def _settings(**said: object) -> "Settings":
    from app.settings import load

    return load(**said)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def main() -> None:
    """Run a command; whatever goes wrong becomes one sentence and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
    except Exception as error:
        if _Edge.debugging:
            raise
        _end(error)


def _end(error: Exception) -> NoReturn:
    from app.commands.sentences import sentence

    typer.echo(f"{typer.style('Error:', fg='red', bold=True)} {sentence(error)}", err=True)
    sys.exit(WRONG)


if __name__ == "__main__":
    main()
