"""What services refuse to do, in English, each with its Portuguese.

The English is that of the services, which the API answers; a test fails when one of them refuses in
words that are not here.
"""

from alerts.lifecycle import Action, State, permitted
from detection.scoring.wording import Sentence

STATES_TOLD = {
    State.OPEN: "aberto",
    State.ACKNOWLEDGED: "assumido",
    State.MITIGATED: "mitigado",
    State.RESOLVED: "resolvido",
    State.CLOSED: "encerrado",
    State.MERGED: "unificado",
}
ACTIONS_TOLD = {
    Action.ACKNOWLEDGE: "assumir",
    Action.MITIGATE: "mitigar",
    Action.RESOLVE: "resolver",
    Action.CLOSE: "encerrar",
    Action.MERGE: "unificar",
    Action.SPLIT: "separar",
    Action.REOPEN: "reabrir",
    Action.RAISE: "agravar",
}
STATES = [Sentence(state.value, told) for state, told in STATES_TOLD.items()]
ACTIONS = [Sentence(action.value, told) for action, told in ACTIONS_TOLD.items()]
ALLOWED = [
    Sentence(", ".join(allowed), ", ".join(ACTIONS_TOLD[Action(each)] for each in allowed))
    for allowed in map(permitted, State)
    if allowed
]
NOBODY = Sentence("nobody", "ninguém")
ANYONE = Sentence("{who}", "{who}")
REFUSALS = [
    Sentence(
        "An incident that is {state} cannot take “{action}”; it allows: {allowed}.",
        "Um incidente {state} não permite “{action}”; permite: {allowed}.",
        state=STATES,
        action=ACTIONS,
        allowed=[*ALLOWED, Sentence("nothing more", "nada mais")],
    ),
    Sentence(
        "Incident #{twin:d} of the same kind is already ongoing.",
        "Já está em curso um incidente do mesmo tipo, #{twin}.",
    ),
    Sentence(
        "An incident cannot be merged into itself.",
        "Um incidente não pode ser unificado consigo mesmo.",
    ),
    Sentence(
        "Incident #{part:d} is itself a part: merge into its root.",
        "O incidente #{part} já é parte de outro: unifique com esse outro.",
    ),
    Sentence(
        "Incident #{root:d} is closed: reopen it first, or merge into an ongoing one.",
        "O incidente #{root} está encerrado: reabra-o antes, ou unifique com um em curso.",
    ),
    Sentence(
        "Incident #{part:d} is not part of another incident, or no longer of that one.",
        "O incidente #{part} não é parte de outro incidente, ou já não é parte daquele.",
    ),
    Sentence(
        "An incident that is {state} cannot be assigned; only an ongoing one can.",
        "Um incidente {state} não pode ser atribuído; só um em curso pode.",
        state=[*STATES, ANYONE],
    ),
    Sentence(
        "It is assigned to {who} already.", "Já está atribuído a {who}.", who=[NOBODY, ANYONE]
    ),
    Sentence(
        "It is {state} already, by {who}.",
        "Já está {state}, por {who}.",
        state=[*STATES, ANYONE],
    ),
    Sentence("It is {state} already.", "Já está {state}.", state=[*STATES, ANYONE]),
    Sentence(
        "Meanwhile it was assigned to {who}.",
        "Enquanto isso, foi atribuído a {who}.",
        who=[NOBODY, ANYONE],
    ),
    Sentence(
        "“{who}” may not act on incidents of this source.",
        "“{who}” não pode agir em incidentes desta origem.",
    ),
    Sentence(
        "“to” must name who to assign the incident to; empty means nobody.",
        "“to” deve dizer a quem atribuir o incidente, vazio significa ninguém.",
    ),
    Sentence(
        "“{label}” is not a label; use one of {known}.",
        "“{label}” não é um rótulo; use um destes: {known}.",
    ),
    Sentence("A comment cannot be empty.", "Um comentário não pode ficar vazio."),
    Sentence(
        "A silence ends after it starts, and at most 90 days later.",
        "Um silêncio termina depois de começar, e no máximo 90 dias depois.",
    ),
    Sentence(
        "A silence must end in the future.",
        "O fim de um silêncio deve estar no futuro.",
    ),
    Sentence(
        "A silence for everything needs a reason.", "Um silêncio para tudo precisa de um motivo."
    ),
    Sentence(
        "“into” must name the incident to merge into.",
        "“into” deve dizer com qual incidente unificar.",
    ),
    Sentence(
        "“{action}” is not an action; use one of {known}.",
        "“{action}” não é uma ação; use uma destas: {known}.",
    ),
    Sentence(
        "Notification {number:d} already waits to be sent.",
        "A notificação {number} já espera o envio.",
    ),
]
