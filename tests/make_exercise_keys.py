"""Compute every number of the keys of exercises again and write it down: `python -m tests.make_exercise_keys`.

Read the difference before it is committed: the words of a key, and the choice that is right, may no longer fit.
"""

import re

from sim.exercises import FOLDER, load_key, names, recomputed


def main() -> None:
    """Replace the values of each key, in the order in which they stand."""
    for name in names():
        path = FOLDER / "keys" / f"{name}.toml"
        found = iter(recomputed(load_key(name)))
        text = re.sub(
            r"(?m)^value = .*$", lambda _: f"value = {round(next(found).found, 4)}", path.read_text(encoding="utf-8")
        )
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
