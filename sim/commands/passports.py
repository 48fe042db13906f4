"""The command passport: from a code to the scenario, the seed and the runs that it stands for."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.commands.common import FAILED, AsJson, Engine, Jobs, app, errors_told, progress, write_new

if TYPE_CHECKING:
    from sim.passport import Passport


@app.command()
def passport(
    code: Annotated[str, typer.Argument(help="The code, as it stands on a chart or in a file.")],
    save: Annotated[Path | None, typer.Option(help="Write the scenario into this new file.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Run it again and compare the digest.")] = False,
    jobs: Jobs = 1,
    engine: Engine = "auto",
    as_json: AsJson = False,
) -> None:
    """Rebuild what a passport stands for: its scenario as a file, its seed and runs; and check that they give the same."""
    with errors_told():
        from sim.passport import read_passport, rerun, verdict

        found = read_passport(code)
        is_same, told = None, ""
        if save is not None:
            write_new(save, text_of(found))
        if check:
            with progress(True) as tell:
                is_same, told = verdict(found, rerun(found, jobs=jobs, engine=engine, with_twins=False, progress=tell))
        if as_json:
            print(json.dumps({**fields_of(found), "scenario": found.scenario.toml(), "same": is_same, "verdict": told}))
        else:
            print(text_of(found) if save is None else "\n".join([*lines_of(found), f"written to {save}"]))
            print(told) if told else None
        if is_same is False:
            raise typer.Exit(FAILED)


def fields_of(found: "Passport") -> dict[str, object]:
    """What a passport says besides its scenario."""
    names = ("code", "model", "seed", "draws", "replications", "digest")
    return {name: getattr(found, name) for name in names} | {"notes": list(found.notes)}


def lines_of(found: "Passport") -> list[str]:
    """What a passport says besides its scenario, for people."""
    from sim.ensemble import pairs_of

    draws = "" if found.draws is None else f" --draws {found.draws}"
    n_runs = len(pairs_of(found.draws, found.replications))
    options = f"--replications {found.replications}{draws} --seed {found.seed}"
    return [
        f"Passport {found.code}",
        f"model {found.model}, {n_runs:,} runs, digest {found.digest}",
        f"python -m sim run FILE {options}",
        *found.notes,
    ]


def text_of(found: "Passport") -> str:
    """The scenario as a file, with what else the passport says as comments."""
    return "".join(f"# {line}\n" for line in lines_of(found)) + found.scenario.toml()
