"""Record this version of the model for later: `python -m tests.make_links` writes its defaults into seeds/registers.json
and one link into tests/links.json. What earlier versions left there is never changed.
"""

import json
from pathlib import Path

from sim.parameters import SEEDS, model_version, register
from sim.scenario_files import load
from sim.sharing import Shared, link_of

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Add what is not there yet."""
    path = SEEDS / "registers.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept[model_version()] = {name: entry.value for name, entry in register().items()}
    lines = [f" {json.dumps(version)}: {json.dumps(values)}" for version, values in kept.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
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
        }
    path.write_text(json.dumps(links, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
