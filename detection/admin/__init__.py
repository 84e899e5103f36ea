from detection.admin.judgements import AnomalyAdmin, BandAdmin, BaselineAdmin
from detection.admin.policies import PolicyAdmin, SpecialDayAdmin

__all__ = ["AnomalyAdmin", "BandAdmin", "BaselineAdmin", "PolicyAdmin", "SpecialDayAdmin"]
