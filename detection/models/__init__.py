"""Is it abnormal: what is normal for a source, what was found, what people asked for and said."""

from detection.models.baseline import Baseline, Checkpoint, Recheck
from detection.models.feedback import Label, Proposal
from detection.models.forest import ForestVersion
from detection.models.judgement import Anomaly, Band, Family, Level
from detection.models.policy import Policy, SpecialDay
from detection.models.trial import Backtest

__all__ = [
    "Anomaly",
    "Backtest",
    "Band",
    "Baseline",
    "Checkpoint",
    "Family",
    "ForestVersion",
    "Label",
    "Level",
    "Policy",
    "Proposal",
    "Recheck",
    "SpecialDay",
]
