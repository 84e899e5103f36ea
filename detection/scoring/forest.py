"""The second opinion: an isolation forest on baseline-normalised features.

Because the features are distances from each source's own baseline, one forest serves every source
and a new source needs none of its own. Liu, Ting and Zhou, "Isolation forest" (ICDM 2008).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detection.scoring.calibration import surprise
from detection.scoring.designs import CHANNEL_OF_DISTANCE
from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.tails import stabilised_z

if TYPE_CHECKING:
    from detection.scoring.minutes import Counts
    from detection.scoring.scores import Scores
    from detection.scoring.state import State

MAGIC = b"TGF1"
TREES = 100
SAMPLE = 256
# Scores above this quantile of the training minutes are the tail that is extrapolated.
TAIL_QUANTILE = 0.98
# Distances beyond this say nothing more and would waste the trees' cuts.
FEATURE_LIMIT = 12.0
# The largest and the whole distance of a minute and of two windows come first: an isolation forest
# picks features at random and would overlook a single status that is far off among many that are
# not.
FEATURES = (
    *(f"{kind}_{window}" for window in (1, 5, 15) for kind in ("largest", "whole")),
    *(f"z_{name}_5" for name in ("denied", "failed", "reversed", "backend", "total")),
    "change_of_total",
)
_POINTERS = ("left", "right", "roots")
PICKED = (1, 2, 3, 4, 6)
TOTAL = 6


@dataclass(frozen=True)
class Forest:
    """A fitted isolation forest as flat arrays, one entry a node.

    Attributes
    ----------
    feature, left, right : (nodes,) int; leaves point to themselves
    threshold : (nodes,) float; a value not above it goes left
    length : (nodes,) float; depth of the node plus the expected depth below it
    roots : (trees,) int
    depth : (1,) int; deepest leaf
    norm : (1,) float; trees times the mean depth of a sample of the size trained on
    tail : (3,) float; score where the tail begins, mean excess beyond it, part of minutes beyond it
    window : (2,) int; first and last UTC minute of the training rows
    rows, trees, sample, seed : (1,) int; how it was trained
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    length: Floats
    roots: Ints
    depth: Ints
    norm: Floats
    tail: Floats
    window: Ints
    rows: Ints
    trees: Ints
    sample: Ints
    seed: Ints

    def score(self, rows: Floats) -> Floats:
        """Score rows as scikit-learn's `score_samples` does: the lower, the more abnormal.

        Parameters
        ----------
        rows : array (S, P)

        Returns
        -------
        array (S,)
        """
        values = np.asarray(rows, np.float32).astype(np.float64)
        flat = values.ravel()
        first = (np.arange(len(values)) * values.shape[1])[:, None]
        node = np.broadcast_to(self.roots, (len(values), len(self.roots)))
        for _ in range(int(self.depth[0])):
            goes_left = flat[self.feature[node] + first] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        mean: Floats = self.length[node].sum(axis=1) / self.norm[0]
        return -np.exp2(-mean)

    def surprise(self, rows: Floats) -> Floats:
        """Place rows on the common scale: 0 ordinary .. 1 never seen in training, shape (S,)."""
        start, mean_excess, part = self.tail
        excess = np.maximum(-self.score(rows) - start, 0)
        log_tail = np.log10(part) - excess / mean_excess / np.log(10)
        return np.where(excess > 0, surprise(log_tail), 0.0)

    def pack(self) -> bytes:
        """One blob without pickle."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{one.name: getattr(self, one.name) for one in fields(self)})
        return MAGIC + buffer.getvalue()

    @classmethod
    def unpack(cls, blob: bytes) -> Forest:
        """Read what `pack` wrote; ValueError if it is of another version or damaged."""
        if blob[: len(MAGIC)] != MAGIC:
            raise ValueError(f"unknown version of a packed forest: {bytes(blob[:4])!r}")
        try:
            with np.load(io.BytesIO(blob[len(MAGIC) :]), allow_pickle=False) as arrays:
                forest = cls(**{one.name: arrays[one.name] for one in fields(cls)})
            fault = forest._fault()
        except Exception as error:
            # A damaged archive fails in as many ways as it has layers.
            raise ValueError(f"a damaged packed forest: {error}") from None
        if fault:
            raise ValueError(f"a packed forest that does not fit: {fault}")
        return forest

    def _fault(self) -> str:
        """Why it cannot score rows of `FEATURES`; empty when it can."""
        nodes = len(self.feature)
        shapes = {
            **dict.fromkeys(("threshold", "left", "right", "length"), (nodes,)),
            "depth": (1,),
            "norm": (1,),
            "tail": (3,),
        }
        wrong = [name for name, shape in shapes.items() if getattr(self, name).shape != shape]
        if wrong:
            return f"{', '.join(wrong)}: of another length"
        for name, end in {"feature": len(FEATURES), **dict.fromkeys(_POINTERS, nodes)}.items():
            found = getattr(self, name)
            if found.dtype.kind != "i" or not ((found >= 0) & (found < end)).all():
                return f"{name}: points at what is not there"
        if not 0 <= self.depth[0] <= nodes or not (self.norm[0] > 0 and np.isfinite(self.norm[0])):
            return "depth, norm: out of range"
        return ""


def features(state: State, scores: Scores, counts: Counts, closed: Bools | None = None) -> Floats:
    """Describe the minute by distances from the source's own baseline, shape (S, P).

    Parameters
    ----------
    closed : array (S,) of bool, optional
        Which minutes are complete; None: all. That little has come of one that is not says
        nothing, in its windows either.

    Returns
    -------
    array (S, 12)
        In the order of `FEATURES` [standard deviations].
    """
    now = np.concatenate([scores.zscore, scores.z_total[:, None]], axis=1)
    seen = np.concatenate([counts.status, scores.channels.seen[:, :1]], axis=1)
    meant = np.concatenate([scores.expected, scores.total_expected[:, None]], axis=1)
    width = scores.channels.width.total.take(CHANNEL_OF_DISTANCE, axis=1)
    windows = stabilised_z(
        state.window_seen[:, :2] + seen[:, None],
        state.window_expected[:, :2] + meant[:, None],
        width[:, None],
    )
    if closed is not None:
        windows = np.where(closed[:, None, None], windows, np.maximum(windows, 0.0))
    z = np.concatenate([now[:, None], windows], axis=1)
    out = np.empty((len(z), len(FEATURES)))
    out[:, 0:6:2] = np.abs(z).max(axis=2)
    out[:, 1:6:2] = np.sqrt((z * z).sum(axis=2))
    out[:, 6:-1] = windows[:, 0, PICKED]
    change = windows[:, 0, TOTAL] - windows[:, 1, TOTAL]
    out[:, -1] = change if closed is None else np.where(closed, change, np.maximum(change, 0.0))
    return np.minimum(np.maximum(out, -FEATURE_LIMIT), FEATURE_LIMIT)


def fit_forest(
    rows: Floats,
    *,
    trees: int = TREES,
    sample: int = SAMPLE,
    seed: int = 0,
    window: tuple[int, int] = (-1, -1),
) -> Forest:
    """Train a forest on the features of ordinary minutes.

    Parameters
    ----------
    rows : array (N, P)
        Features of past minutes outside confirmed incidents, N >= 2.
    window : (int, int)
        First and last UTC minute of the rows, kept for the record.
    """
    if len(rows) < 2 or not np.isfinite(rows).all():
        raise ValueError("a forest needs at least two rows of finite numbers")
    from sklearn.ensemble import IsolationForest

    model = IsolationForest(
        n_estimators=trees, max_samples=min(sample, len(rows)), random_state=seed
    )
    model.fit(rows)
    forest = _flatten(model, rows, window, seed)
    return _with_tail(forest, rows)


def _flatten(model: Any, rows: Floats, window: tuple[int, int], seed: int) -> Forest:
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "length")
    }
    roots, offset, deepest = [], 0, 0
    for estimator, columns in zip(model.estimators_, model.estimators_features_, strict=True):
        tree = estimator.tree_
        leaf = tree.children_left < 0
        index = np.arange(tree.node_count)
        depth = _depths(tree.children_left, tree.children_right)
        parts["feature"].append(np.where(leaf, 0, columns[np.maximum(tree.feature, 0)]))
        parts["threshold"].append(np.where(leaf, 0.0, tree.threshold))
        parts["left"].append(np.where(leaf, index, tree.children_left) + offset)
        parts["right"].append(np.where(leaf, index, tree.children_right) + offset)
        parts["length"].append(depth + np.where(leaf, mean_depth(tree.n_node_samples), 0.0))
        roots.append(offset)
        offset += tree.node_count
        deepest = max(deepest, int(depth.max()))
    norm = len(roots) * float(mean_depth(np.array([model.max_samples_]))[0])
    arrays: dict[str, Any] = {name: np.concatenate(part) for name, part in parts.items()}
    return Forest(
        **arrays,
        roots=np.array(roots),
        depth=np.array([deepest]),
        norm=np.array([norm]),
        tail=np.array([0.0, 1.0, 1.0]),
        window=np.array(window),
        rows=np.array([len(rows)]),
        trees=np.array([len(roots)]),
        sample=np.array([model.max_samples_]),
        seed=np.array([seed]),
    )


def _depths(left: Ints, right: Ints) -> Floats:
    depth = np.zeros(len(left))
    for node in range(len(left)):
        if left[node] >= 0:
            depth[[left[node], right[node]]] = depth[node] + 1
    return depth


def mean_depth(samples: Ints) -> Floats:
    """Expected depth of an unsuccessful search in a binary tree of so many samples.

    Examples
    --------
    >>> mean_depth(np.array([1, 2, 256])).round(3).tolist()
    [0.0, 1.0, 10.245]
    """
    size = np.maximum(np.asarray(samples, float), 3.0)
    depth = 2.0 * (np.log(size - 1.0) + np.euler_gamma) - 2.0 * (size - 1.0) / size
    return np.where(samples > 2, depth, np.where(samples == 2, 1.0, 0.0))


def _with_tail(forest: Forest, rows: Floats) -> Forest:
    """Fit an exponential to the training scores beyond the tail quantile."""
    abnormal = -forest.score(rows)
    start = float(np.quantile(abnormal, TAIL_QUANTILE))
    beyond = abnormal[abnormal > start] - start
    mean_excess = max(float(beyond.mean()) if beyond.size else 0.0, 1e-6)
    part = max(beyond.size / len(rows), 1.0 / len(rows))
    values = {one.name: getattr(forest, one.name) for one in fields(forest)}
    values["tail"] = np.array([start, mean_excess, part])
    return Forest(**values)
