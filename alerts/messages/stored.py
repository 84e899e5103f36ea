"""What is stored in English, told in the language of whoever reads it.

What people or other systems wrote is none of our sentences, and stays as it is.
"""

from detection.messages import REASONS
from detection.scoring.wording import told


def reason_told(reason: object, language: str) -> str:
    """Return a reason that detection gave, in the language of the reader.

    Examples
    --------
    >>> reason_told("42 denials in 1 min, 6 expected.", "pt-br")
    'Negadas: 42 em 1 min; o esperado era 6.'
    """
    return told(str(reason), REASONS, language)
