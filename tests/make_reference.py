"""A few reference numbers of the baseline, written to tests/reference.json: `python -m tests.make_reference`.

Run it only in a commit that says why results move; `tests/test_backtest.py` compares.
"""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

from sim.ensemble import run_ensemble
from sim.outcomes import band, measure_all
from sim.scenario_files import load

FILE = Path(__file__).with_name("reference.json")
COMMAND = "python -m tests.make_reference"
SCENARIO, SEED, REPLICATIONS = "baseline", 1, 10
MEASURES = ("states_agreeing", "states_declined", "volunteers", "peak_in_place", "troop_days")


def this_platform() -> dict[str, str]:
    """What the bits of a result may depend on."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
    }


def measured() -> dict[str, Any]:
    """The reference numbers as they come out now: draw r with luck r, for r from 0 to 9."""
    scenario = load(Path(__file__).parents[1] / "scenarios" / f"{SCENARIO}.toml")
    ensemble = run_ensemble(scenario, SEED, replications=REPLICATIONS, with_twins=False)
    values = measure_all(ensemble)
    return {
        "digest": ensemble.digest,
        "runs": {name: values[name].astype(int).tolist() for name in MEASURES},
        "medians": {name: band(values[name]).median for name in MEASURES},
    }


def main() -> None:
    """Write the file."""
    about = {
        "command": COMMAND,
        "scenario": SCENARIO,
        "seed": SEED,
        "replications": REPLICATIONS,
        "platform": this_platform(),
    }
    FILE.write_text(json.dumps(about | measured(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
