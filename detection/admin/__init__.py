from detection.admin.forests import ForestVersionAdmin
from detection.admin.judgements import AnomalyAdmin, BandAdmin, BaselineAdmin
from detection.admin.policies import PolicyAdmin, SpecialDayAdmin

__all__ = [
    "AnomalyAdmin",
    "BandAdmin",
    "BaselineAdmin",
    "ForestVersionAdmin",
    "PolicyAdmin",
    "SpecialDayAdmin",
]
