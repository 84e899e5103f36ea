"""What is stored or refused in English, told in the language of whoever reads it.

What people or other systems wrote is none of our sentences, and stays as it is.
"""

from typing import TYPE_CHECKING

from alerts.messages.refusals import REFUSALS
from alerts.messages.timeline import FAULTS, OF_PEOPLE, OWN, SILENCED, STAGES
from detection.messages import REASONS
from detection.scoring.wording import told

if TYPE_CHECKING:
    from alerts.models import IncidentEvent


def reason_told(reason: object, language: str) -> str:
    """Return a reason that detection gave, in the language of the reader.

    Examples
    --------
    >>> reason_told("42 denials in 1 min, 6 expected.", "pt-br")
    'Negadas: 42 em 1 min; o esperado era 6.'
    """
    return told(str(reason), REASONS, language)


def line_told(line: "IncidentEvent", language: str) -> str:
    """Return why a line of a timeline was written, in the language of the reader."""
    return told(line.why, OF_PEOPLE.get(line.kind, ()) if line.who else OWN, language)


def cause_told(cause: str, language: str) -> str:
    """Return why a message was made or held, in the language of the reader.

    Examples
    --------
    >>> cause_told("rose from WARNING to CRITICAL; quiet hours until 07:00 UTC", "pt-br")
    'subiu de atenção para crítico; horas de silêncio até 07:00 UTC'
    """
    return told(cause, OWN, language)


def fault_told(fault: str, language: str) -> str:
    """Return what is wrong with a channel, in the language of the reader.

    Examples
    --------
    >>> fault_told("no answer: ConnectTimeout", "pt-br")
    'sem resposta: ConnectTimeout'
    """
    return told(fault, FAULTS, language)


def refusal_told(refusal: Exception, language: str) -> str:
    """Return why a service refused, in the language of whoever asked it.

    Examples
    --------
    >>> refusal_told(ValueError("A comment cannot be empty."), "pt-br")
    'Um comentário não pode ficar vazio.'
    """
    return told(str(refusal), REFUSALS, language)


def silenced_told(reason: str, language: str) -> str:
    """Return why a silence was made, in the language of the reader.

    Examples
    --------
    >>> silenced_told("from incident #7", "pt-br"), silenced_told("novo link", "pt-br")
    ('do incidente #7', 'novo link')
    """
    return told(reason, [SILENCED], language)


def stage_told(stage: str, language: str) -> str:
    """Return what people call a stage of our own way from a report to a message.

    Examples
    --------
    >>> stage_told("Detection", "en"), stage_told("Detection", "pt-br")
    ('Detection', 'a detecção')
    """
    return told(stage, STAGES, language)
