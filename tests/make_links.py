"""Record this version of the model for later: `python -m tests.make_links` writes its defaults and scenario files into
seeds/versions.json, and one link and one passport into tests/links.json. What earlier versions left there is never changed, and neither is a
scenario once recorded: passports may begin from it.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from sim.ensemble import run_ensemble
from sim.parameters import SEEDS, model_version, register
from sim.passport import passport_of
from sim.scenario_files import listed, load
from sim.sharing import Shared, link_of

ROOT = Path(__file__).resolve().parent.parent


def _rows(rows: dict[str, Any]) -> str:
    """One line for each row, so that changes can be read."""
    lines = [f"   {json.dumps(key)}: {json.dumps(value, default=date.isoformat)}" for key, value in rows.items()]
    return "{" + "\n" * bool(lines) + ",\n".join(lines) + "}"


def main() -> None:
    """Add what is not there yet."""
    path = SEEDS / "versions.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    now = kept.setdefault(model_version(), {"scenarios": {}})
    now["defaults"] = {name: entry.value for name, entry in register().items()}
    for file in listed(ROOT / "scenarios"):
        now["scenarios"].setdefault(file.stem, load(file).document())
    blocks = [
        f" {json.dumps(version)}: {{\n"
        + ",\n".join(f"  {json.dumps(key)}: {_rows(rows)}" for key, rows in sorted(block.items()))
        + "}"
        for version, block in kept.items()
    ]
    path.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
    path = ROOT / "tests" / "links.json"
    links = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if model_version() not in links:
        scenario = load(ROOT / "scenarios" / "hurricane_season.toml").with_values({"request.target": 12_345})
        links[model_version()] = {
            "link": link_of(Shared(scenario, 42, 500)),
            "seed": 42,
            "runs": 500,
            "target": 12_345,
            "start": scenario.start.isoformat(),
            "shocks": len(scenario.shocks),
            "passport": passport_of(run_ensemble(scenario, 42, None, 2, engine="simpy")),
        }
    path.write_text(json.dumps(links, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
