"""Who probably owns a deviation and what to do first, in the words of a payments team."""

from detection.rules import VIOLATION
from detection.scoring import reasons
from detection.scoring.wording import Sentence, told

# A code tells more about the owner than the family does (ISO 8583 response codes).
OWNER_OF_CODE = {
    "04": "fraud control",
    "05": "issuer",
    "07": "fraud control",
    "14": "customer",
    "34": "fraud control",
    "41": "fraud control",
    "43": "fraud control",
    "51": "customer",
    "54": "customer",
    "57": "issuer",
    "59": "fraud control",
    "61": "customer",
    "62": "issuer",
    "63": "fraud control",
    "65": "customer",
    "68": "network",
    "91": "issuer",
    "92": "network",
    "96": "network",
}
OWNER_OF_FAMILY = {
    "decline": "issuer",
    "technical_failure": "us",
    "reversal": "us",
    "volume_low": "traffic",
    "volume_high": "traffic",
    "silence": "us",
    "code_mix": "fraud control",
}
ACTION_OF_CODE = {
    "05": Sentence(
        "Compare the denials by issuer: if it is one, call it; if all, our request has changed.",
        "Compare as negadas por emissor: se for um só, ligue para ele; se forem todos, mudou o"
        " nosso pedido de autorização.",
    ),
    "14": Sentence(
        "Look for card testing: many cards, one merchant or IP. Block it, tell fraud control.",
        "Procure teste de cartões: muitos cartões, um só lojista ou IP. Bloqueie e avise o"
        " antifraude.",
    ),
    "51": Sentence(
        "No funds: think of the last payday first, then look for retries of the same cards.",
        "Saldo insuficiente: pense primeiro no último dia de pagamento; depois procure"
        " retentativas dos mesmos cartões.",
    ),
    "54": Sentence(
        "Expired cards: see whether stored cards were updated and which recurring batch ran.",
        "Cartões vencidos: veja se os cartões salvos foram atualizados e qual lote de recorrência"
        " rodou.",
    ),
    "59": Sentence(
        "Suspected fraud: ask fraud control what rule changed; see the merchants denied most.",
        "Suspeita de fraude: pergunte ao antifraude que regra mudou; veja os lojistas com mais"
        " negadas.",
    ),
    "63": Sentence(
        "Security violation: ask fraud control what rule changed; check CVV and 3-D Secure.",
        "Violação de segurança: pergunte ao antifraude que regra mudou; confira CVV e 3-D Secure.",
    ),
    "68": Sentence(
        "Late responses: check the latency to the network; route around it if it lasts.",
        "Respostas atrasadas: confira a latência até a rede da bandeira; se continuar, desvie a"
        " rota.",
    ),
    "91": Sentence(
        "Issuer or switch down: check the issuer's status; route around it if it lasts.",
        "Emissor ou switch fora do ar: confira o status do emissor; se continuar, desvie a rota.",
    ),
    "92": Sentence(
        "No route to the issuer: check the network link and the routing tables.",
        "Sem rota até o emissor: confira o link com a rede da bandeira e as tabelas de roteamento.",
    ),
    "96": Sentence(
        "System malfunction: check the acquirer link and our last deployment.",
        "Falha de sistema: confira o link com o adquirente e a nossa última publicação.",
    ),
}
ACTION_OF_FAMILY = {
    "decline": Sentence(
        "See which codes and issuers deny more than usual, and whether fraud rules changed.",
        "Veja quais códigos e emissores negam mais que o usual e se mudou alguma regra do"
        " antifraude.",
    ),
    "technical_failure": Sentence(
        "Check errors and timeouts of gateway, processor and the last release.",
        "Confira erros e timeouts do gateway, do processador e da última versão publicada.",
    ),
    "reversal": Sentence(
        "See who reverses: a client timing out after approval, or a merchant.",
        "Veja de quem partem os estornos: um cliente com timeout depois da aprovação, ou um"
        " lojista.",
    ),
    "volume_low": Sentence(
        "Check the link to the acquirer and the checkout; ask the biggest merchants.",
        "Confira o link com o adquirente e o checkout; pergunte aos maiores lojistas.",
    ),
    "volume_high": Sentence(
        "Ask whether a campaign runs; if not, look for retries or card testing.",
        "Pergunte se há uma campanha; se não, procure retentativas ou teste de cartões.",
    ),
    "silence": Sentence(
        "Nothing arrives: check that the source runs and can reach us.",
        "Nada chega: confira se a origem está no ar e consegue nos alcançar.",
    ),
    "code_mix": Sentence(
        "The mix of denial codes changed: ask fraud control what rule was switched.",
        "A divisão das negadas entre os códigos mudou: pergunte ao antifraude que regra foi"
        " trocada.",
    ),
}
WATCH = Sentence("Watch it for a few minutes. ", "Observe por alguns minutos. ")
BROKEN_RULE = Sentence("Rule {violation}.", "Regra {violation}.", violation=[VIOLATION])
# Every sentence that is stored as the reason of an anomaly.
REASONS = (*reasons.REASONS, BROKEN_RULE)
# Why a proposal, a forest or a backtest stays as it is, when somebody asked for something else.
REFUSALS = (
    Sentence(
        "Only an offered proposal can be applied, this one is: {proposal}",
        "Só uma proposta oferecida pode ser aplicada; esta é: {proposal}",
    ),
    Sentence(
        "Only an applied proposal can be reverted, this one is: {proposal}",
        "Só uma proposta aplicada pode ser revertida; esta é: {proposal}",
    ),
    Sentence(
        "Only what nobody has decided can be dismissed, this is: {proposal}",
        "Só o que ninguém decidiu pode ser descartado; esta é: {proposal}",
    ),
    Sentence(
        "{name} is {value} by now, which is quieter than {proposed}.",
        "{name} agora é {value}, mais silencioso que {proposed}.",
    ),
    Sentence(
        "{name} is {value} by now, not {made} as this proposal made it.",
        "{name} agora é {value}, e não {made} como esta proposta deixou.",
        value=[Sentence("its default", "o padrão"), Sentence("{value}", "{value}")],
    ),
    Sentence(
        "A proposal for the same was applied after this one: revert that first.",
        "Depois desta foi aplicada outra proposta para o mesmo: reverta aquela primeiro.",
    ),
    Sentence(
        "Only a backtest that failed can be started again, this one is {state}.",
        "Só um backtest que falhou pode ser iniciado de novo; este está {state}.",
        state=[
            Sentence("waiting", "à espera"),
            Sentence("running", "em execução"),
            Sentence("done", "concluído"),
            Sentence("{state}", "{state}"),
        ],
    ),
    Sentence(
        "Only a backtest that waits or runs can be stopped, this one is {state}.",
        "Só um backtest à espera ou em execução pode ser parado; este está {state}.",
        state=[
            Sentence("done", "concluído"),
            Sentence("failed", "com falha"),
            Sentence("{state}", "{state}"),
        ],
    ),
    Sentence(
        "Forest {number:d} cannot be read: {fault}",
        "A floresta {number} não pode ser lida: {fault}",
    ),
)
NORMAL = "Within what is expected. Nothing to do."
LEARNING = "Still learning what is normal here: {seen} of {needed} minutes seen."
UNWATCHED = "Recorded. This source is not watched."
DECLARED_WRONG = "Recorded. The counts of this minute were declared wrong and are not judged."
NOT_THERE = "Not judged: this source has not reported for more than a day, or never."


def owner_of(family: str, auth_code: str) -> str:
    """The probable owner: customer, fraud control, issuer, network, us or traffic."""
    if family in ("decline", "code_mix") and auth_code in OWNER_OF_CODE:
        return OWNER_OF_CODE[auth_code]
    return OWNER_OF_FAMILY[family]


def first_action(family: str, level: int, auth_code: str, language: str = "en") -> str:
    """What to do first; for a warning, to wait and see comes before it."""
    action = ACTION_OF_FAMILY[family]
    if family == "decline" and auth_code in ACTION_OF_CODE:
        action = ACTION_OF_CODE[auth_code]
    words = action.words(language)
    return words if level > 1 else WATCH.words(language) + words


def refusal_told(refusal: Exception, language: str) -> str:
    """Return why a service refused, in the language of whoever asked it.

    Examples
    --------
    >>> refusal_told(ValueError("Forest 3 cannot be read: too short"), "pt-br")
    'A floresta 3 não pode ser lida: too short'
    """
    return told(str(refusal), REFUSALS, language)
