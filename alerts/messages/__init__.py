"""What a message says: one Brief of the facts, rendered for each kind of channel."""

from alerts.messages.brief import Brief, brief_of
from alerts.messages.phrases import say

__all__ = ["Brief", "brief_of", "say"]
