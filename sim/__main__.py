"""The command line: python -m sim.

Heavy modules are imported by the commands that use them, so that `--help` answers at once. Exit codes: 0 fine, 1 some
runs failed or differ (the rest are kept), 2 bad input, 130 interrupted.
"""

# Importing a family adds its commands.
import sim.commands.classroom
import sim.commands.contests
import sim.commands.exercises
import sim.commands.files
import sim.commands.history
import sim.commands.passports
import sim.commands.reports
import sim.commands.results
import sim.commands.runs
import sim.commands.studies
import sim.commands.sweep
import sim.commands.sweep_studies  # noqa: F401
from sim.commands.common import app

if __name__ == "__main__":
    app(prog_name="python -m sim")
