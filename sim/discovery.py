"""Discovery: under which conditions runs reach something, as boxes in plain words.

A box is a set of ends, one pair for each parameter that it restricts. Its density is the share of its runs that reach
what was asked, its coverage the share of all that reach it which lie inside. Boxes describe the runs that were made;
they say nothing of how likely their conditions are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.experiments import Experiment, Rows
from sim.parameters import InputError
from sim.studies import Numbers, Truths, lab, quiet

if TYPE_CHECKING:
    import pandas as pd

# Low and high end, or the words that are allowed.
Limit = tuple[float, float] | tuple[str, ...]
# Parts of the runs peeled off at a time, and left at least; a box of fewer runs would be a tale of single runs.
PEEL, LEAST = 0.05, 0.05
# A restriction that chance would bring as easily is taken back.
SIGNIFICANCE = 0.05
MOST_LEAVES = 8
FEWEST_RUNS, FEWEST_CASES = 20, 5


@dataclass(frozen=True)
class Box:
    """A set of conditions and the runs inside.

    limits
        Both ends, or the words allowed, of each parameter that is restricted.
    coverage, density
        Shares between 0 and 1, see the head of the module.
    n_runs, n_reaching
        Runs inside, and those of them that reach it.
    chances
        For each parameter, how easily chance alone brings its restriction (quasi-p); empty for a tree.
    tradeoff
        (coverage, density) of each box tried on the way, from all runs to the smallest; empty for a tree.
    """

    limits: dict[str, Limit]
    coverage: float
    density: float
    n_runs: int
    n_reaching: int
    chances: dict[str, float] = field(default_factory=dict)
    tradeoff: tuple[tuple[float, float], ...] = ()


def table_of_factors(experiment: Experiment, rows: Rows, outcome: str) -> "tuple[pd.DataFrame, Numbers]":
    """What varied in each run of a sweep that has not failed, and an outcome; shapes (n_runs, n_factors), (n_runs,)."""
    import pandas as pd

    has_run = rows["error"].is_null().to_numpy()
    columns = {name: np.array(rows[name].to_pylist())[has_run] for name in experiment.names}
    return pd.DataFrame(columns), rows[outcome].to_numpy()[has_run]


def ends_of(x: "pd.DataFrame") -> dict[str, tuple[float, float]]:
    """Lowest and highest value of every number."""
    numbers = x.select_dtypes(np.number)
    return {name: (float(numbers[name].min()), float(numbers[name].max())) for name in numbers}


def check_enough(reaches: Truths) -> None:
    """Raise InputError where there is nothing to tell apart."""
    n, k = len(reaches), int(reaches.sum())
    if n < FEWEST_RUNS:
        raise InputError(f"{n} finished runs are too few to look for boxes; at least {FEWEST_RUNS} are needed")
    if min(k, n - k) < FEWEST_CASES:
        told = f"{k:,} of {n:,} runs reach it" if k else f"none of {n:,} runs reaches it"
        raise InputError(
            f"{told}; at least {FEWEST_CASES} that do and {FEWEST_CASES} that do not are needed to tell them apart"
        )


def prim_boxes(x: "pd.DataFrame", reaches: Truths, most: int = 2, density: float | None = None) -> list[Box]:
    """Boxes found by patient rule induction (PRIM), one after the other among the runs that are left.

    Parameters
    ----------
    x
        Parameters that varied, one row for each run: numbers, or words.
    reaches
        Which runs reach what was asked; shape (n_runs,).
    most
        Boxes at most.
    density
        Take the box of the largest coverage with at least this density; without it, the box with the largest harmonic
        mean of coverage and density.

    References
    ----------
    Friedman and Fisher (1999), Statistics and Computing 9; Bryant and Lempert (2010), Technological Forecasting and
    Social Change 77, for its use in finding scenarios and for the quasi-p values.
    """
    with quiet(), lab("discover", "ema-workbench"):
        import ema_workbench.analysis.prim  # noqa: F401 - to say at once if it is missing
    check_enough(reaches)
    x = _prepared(x)
    boxes: list[Box] = []
    left = np.ones(len(x), np.bool_)
    while len(boxes) < most and reaches[left].any():
        found, at = _peeled(x, reaches, left, density)
        limits = _limits(found.box_lims[at], found.box_lims[0], found.qp[at], x)
        inside = left & within(x, limits)
        n, k = int(inside.sum()), int((inside & reaches).sum())
        # A box that restricts nothing, or holds no more than all runs do, tells nothing more.
        if not limits or k / n <= reaches.mean():
            break
        way = zip(found.peeling_trajectory["k"] / reaches.sum(), found.peeling_trajectory["density"], strict=True)
        boxes.append(
            Box(
                limits,
                k / int(reaches.sum()),
                k / n,
                n,
                k,
                _chances(found, at),
                tuple((float(coverage), float(density)) for coverage, density in way),
            )
        )
        left &= ~inside
    return boxes


def _peeled(x: "pd.DataFrame", reaches: Truths, left: Truths, density: float | None) -> tuple[Any, int]:
    """The way from all runs that are left to the smallest box, and which box on it is told.

    Parameters whose restriction chance would bring as easily are left out, and the way is gone again without them.
    """
    from ema_workbench.analysis.prim import Prim

    names = list(x.columns)
    with quiet():
        while True:
            # The library counts as reaching what is at least the threshold, and hands back no box less dense than it.
            found = Prim(
                x.loc[left, names],
                reaches[left],
                threshold=1e-9,
                peel_alpha=PEEL,
                paste_alpha=PEEL,
                mass_min=LEAST * len(x) / left.sum(),
            ).find_box()
            at = _chosen(found.peeling_trajectory, density)
            weak = [name for name, chance in _chances(found, at).items() if chance > SIGNIFICANCE]
            names = [name for name in names if name not in weak]
            if not weak or not names:
                return found, at if names else 0


def within(x: "pd.DataFrame", limits: Mapping[str, Limit]) -> Truths:
    """Which runs lie inside; shape (n_runs,)."""
    inside = np.ones(len(x), np.bool_)
    for name, limit in limits.items():
        column = x[name]
        inside &= (column.isin(limit) if isinstance(limit[0], str) else column.between(*limit)).to_numpy()
    return inside


def _chances(found: Any, at: int) -> dict[str, float]:
    """How easily chance alone brings each restriction of a box, by its stronger side."""
    # A side that is not restricted has -1.
    return {
        name: float(min(chance for chance in ends if chance >= 0.0))
        for name, ends in found.qp[at].items()
        if max(ends) >= 0.0
    }


def _prepared(x: "pd.DataFrame") -> "pd.DataFrame":
    """Numbers as floats, whole ones too (the library's pasting of whole numbers fails), all else as words."""
    kept = {}
    for name in x.columns:
        column = x[name].to_numpy()
        if len(set(column.tolist())) < 2:
            continue
        if column.dtype.kind in "iuf":
            kept[name] = column.astype(float)
        else:
            words = [str(value).lower() if isinstance(value, bool) else str(value) for value in column.tolist()]
            kept[name] = np.array(words, dtype=object)
    if not kept:
        raise InputError("no parameter varies in these runs, so there is nothing to tell apart")
    import pandas as pd

    return pd.DataFrame(kept)


def _chosen(trajectory: Any, density: float | None) -> int:
    """Which box on the way is told."""
    covered, dense = trajectory["coverage"].to_numpy(), trajectory["density"].to_numpy()
    if density is not None:
        enough = dense >= density
        return int(np.where(enough, covered, -1.0).argmax() if enough.any() else dense.argmax())
    return int((2.0 * covered * dense / np.maximum(covered + dense, 1e-12)).argmax())


def _limits(box: Any, whole: Any, chances: Mapping[str, Any], x: "pd.DataFrame") -> dict[str, Limit]:
    """The ends of every parameter that a box restricts, without those that chance would bring as easily.

    Ends are values of runs, not lines between them.
    """
    limits: dict[str, Limit] = {}
    for name in box.columns:
        low, high = box[name]
        if isinstance(low, set):
            if low != whole[name].iloc[0]:
                limits[name] = tuple(sorted(low))
        elif (low, high) != tuple(whole[name]):
            column = x[name].to_numpy()
            for_low, for_high = chances[name]
            low = column.min() if for_low > SIGNIFICANCE else column[column >= low].min()
            high = column.max() if for_high > SIGNIFICANCE else column[column <= high].max()
            limits[name] = (float(low), float(high))
    return limits


def tree_boxes(x: "pd.DataFrame", reaches: Truths, seed: int = 1) -> list[Box]:
    """Boxes that are the leaves of a classification tree (CART) with a larger share than all runs, largest first.

    The number of leaves is what cross-validation picks; none are told where it finds the tree no better than chance.

    References
    ----------
    Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees.
    """
    with lab("discover", "scikit-learn"):
        from sklearn.model_selection import GridSearchCV, StratifiedKFold
        from sklearn.tree import DecisionTreeClassifier
    import pandas as pd

    check_enough(reaches)
    x = _prepared(x)
    # One column a word: a tree splits numbers only.
    wide = pd.get_dummies(x, prefix_sep="\n").astype(float)
    folds = min(5, int(reaches.sum()), int((~reaches).sum()))
    if folds < 2:
        return []
    search = GridSearchCV(
        DecisionTreeClassifier(min_samples_leaf=max(1, round(LEAST * len(x))), random_state=seed % 2**32),
        {"max_leaf_nodes": list(range(2, MOST_LEAVES + 1))},
        scoring="neg_brier_score",
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32),
    ).fit(wide, reaches)
    # On runs that it was not grown on, a tree must tell more than the share of all runs does.
    if -search.best_score_ >= reaches.mean() * (1.0 - reaches.mean()):
        return []
    classifier = search.best_estimator_
    leaf = classifier.apply(wide)
    boxes = []
    for node, limits in _leaves(classifier.tree_, list(wide.columns), x).items():
        inside = reaches[leaf == node]
        if inside.mean() > reaches.mean():
            boxes.append(
                Box(limits, float(inside.sum() / reaches.sum()), float(inside.mean()), len(inside), int(inside.sum()))
            )
    return sorted(boxes, key=lambda box: -box.coverage)


def _leaves(tree: Any, names: list[str], x: "pd.DataFrame") -> dict[int, dict[str, Limit]]:
    """The limits of every leaf, by its node."""
    found: dict[int, dict[str, Limit]] = {}
    waiting: list[tuple[int, dict[str, Limit]]] = [(0, {})]
    while waiting:
        node, limits = waiting.pop()
        if tree.children_left[node] < 0:
            found[node] = limits
            continue
        name, _, word = names[tree.feature[node]].partition("\n")
        for child, is_above in ((tree.children_left[node], False), (tree.children_right[node], True)):
            waiting.append((child, {**limits, name: _narrowed(limits.get(name), x[name], word, node, tree, is_above)}))
    return found


def _narrowed(limit: Limit | None, column: Any, word: str, node: int, tree: Any, is_above: bool) -> Limit:
    """One more split of a parameter; the ends are those of the runs on that side, not the line between them."""
    if word:
        words = limit or tuple(sorted(set(column)))
        return tuple(str(each) for each in words if (each == word) == is_above)
    low, high = (float(column.min()), float(column.max())) if limit is None else (float(limit[0]), float(limit[1]))
    split = float(tree.threshold[node])
    return (float(column[column > split].min()), high) if is_above else (low, float(column[column <= split].max()))


def in_words(box: Box, ends: Mapping[str, tuple[float, float]]) -> list[str]:
    """The conditions of a box, one line each; `ends` are the lowest and highest value of each number in all runs."""
    lines = []
    for name, limit in box.limits.items():
        if isinstance(limit[0], str):
            lines.append(f"{name} is {' or '.join(map(str, limit))}")
            continue
        low, high = float(limit[0]), float(limit[1])
        least, most = ends[name]
        if low > least and high < most:
            lines.append(f"{name} is between {low:.4g} and {high:.4g} (of {least:.4g} to {most:.4g})")
        elif low > least:
            lines.append(f"{name} is at least {low:.4g} (of {least:.4g} to {most:.4g})")
        else:
            lines.append(f"{name} is at most {high:.4g} (of {least:.4g} to {most:.4g})")
    return lines
