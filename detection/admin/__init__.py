from detection.admin.feedback import LabelAdmin, ProposalAdmin
from detection.admin.forests import ForestVersionAdmin
from detection.admin.judgements import AnomalyAdmin, BandAdmin, BaselineAdmin
from detection.admin.policies import PolicyAdmin, SpecialDayAdmin
from detection.admin.trials import BacktestAdmin

__all__ = [
    "AnomalyAdmin",
    "BacktestAdmin",
    "BandAdmin",
    "BaselineAdmin",
    "ForestVersionAdmin",
    "LabelAdmin",
    "PolicyAdmin",
    "ProposalAdmin",
    "SpecialDayAdmin",
]
