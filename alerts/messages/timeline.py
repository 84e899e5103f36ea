"""What Guardian writes into timelines and into the outbox, in English, each with its Portuguese.

The English is that of the services and policies, which store it; their tests fail when one of them
writes what is not here.
"""

from alerts.messages.phrases import PHRASES
from alerts.models.incident import FAMILIES, Incident, IncidentEvent
from alerts.models.watch import StageAlarm
from detection.models import Level
from detection.scoring.wording import PORTUGUESE, Sentence

FAMILIES_TOLD = {
    "decline": "negadas",
    "technical_failure": "falhas técnicas",
    "reversal": "estornos",
    "volume_low": "volume baixo",
    "volume_high": "volume alto",
    "silence": "silêncio",
    "code_mix": "códigos de resposta",
    "external": "alerta externo",
    "watch": "o próprio Guardian",
}
LABELS_TOLD = {
    "real": "falha real",
    "false_positive": "falso positivo",
    "new_level": "novo nível normal",
    "planned": "trabalho planejado",
    "duplicate": "duplicado",
}
STAGES_TOLD = {
    "ingest": "o recebimento",
    "detection": "a detecção",
    "absorb": "a abertura de incidentes",
    "outbox": "a caixa de saída",
}
KINDS_TOLD = {
    "opened": "abertura",
    "escalated": "agravamento",
    "updated": "atualização",
    "reopened": "reabertura",
    "resolved": "fim",
    "reminder": "lembrete",
    "assigned": "atribuição",
}
LEVELS = [Sentence(level, PHRASES[PORTUGUESE][f"level.{level}"]) for level in Level.values]
FAMILY_NAMES = [
    Sentence(name, FAMILIES_TOLD[family])
    for family, label in FAMILIES
    for name in (family, label, label.lower())
]
LABELS = [Sentence(label, LABELS_TOLD[label]) for label in Incident.Label.values]
STAGES = [
    Sentence(name, STAGES_TOLD[stage])
    for stage, label in StageAlarm.Stage.choices
    for name in (stage, label, label.lower())
]
KINDS = [Sentence(kind, told) for kind, told in KINDS_TOLD.items()]
NOTHING = Sentence("", "")
TAKEN_BACK = Sentence("all of its minutes were taken back", "todos os seus minutos foram retirados")
ANYTHING = Sentence("{text}", "{text}")
# Why a silence was made, when nobody wrote it.
SILENCED = Sentence("from incident #{incident:d}", "do incidente #{incident}")
BECAUSE = [NOTHING, Sentence(": {why}", ": {why}", why=[SILENCED, ANYTHING])]

POLICY = [
    Sentence(
        "first {level} of its kind", "primeiro incidente do tipo, nível {level}", level=LEVELS
    ),
    Sentence(
        "{level} after {gap:d} min without one",
        "nível {level}, {gap} min depois do último",
        level=LEVELS,
    ),
    Sentence(
        "rose from {before} to {level}",
        "subiu de {before} para {level}",
        before=LEVELS,
        level=LEVELS,
    ),
    Sentence("goes on", "continua"),
    Sentence(
        "back {gap:d} min after its last bad minute",
        "voltou {gap} min depois do último minuto ruim",
    ),
    Sentence(
        "a late minute of an incident that is known", "minuto atrasado de um incidente conhecido"
    ),
    Sentence(
        "found in past minutes: kept, nobody is called",
        "achado em minutos passados: guardado, ninguém é chamado",
    ),
    Sentence(
        "labelled a false positive; the same run goes on",
        "marcado como falso positivo; a mesma sequência continua",
    ),
    Sentence(
        "resolved by hand a moment ago; waiting for it to clear",
        "resolvido à mão há pouco; esperando que passe",
    ),
    Sentence("no minute judged yet", "nenhum minuto julgado ainda"),
    Sentence("{quiet:d} of {needed:d} quiet minutes", "{quiet} de {needed} minutos normais"),
    Sentence("{quiet:d} minutes judged normal", "{quiet} minutos julgados normais"),
]
RELATIONS = [
    Sentence(
        "hidden by {family} of the same source",
        "coberto por {family} da mesma origem",
        family=FAMILY_NAMES,
    ),
    Sentence("began together at the same source", "começaram juntos na mesma origem"),
    Sentence(
        "part of {family} at the source above it",
        "parte de {family} na origem acima desta",
        family=FAMILY_NAMES,
    ),
    Sentence(
        "began together at sources of one parent",
        "começaram juntos em origens sob uma mesma origem",
    ),
    Sentence("no source reports any more", "nenhuma origem reporta mais"),
    Sentence("began together at many sources", "começaram juntos em muitas origens"),
]
SUPPRESSION = [
    Sentence(
        "our own {stage} is late: silence says nothing about the source",
        "{stage} do próprio Guardian está em atraso: o silêncio nada diz sobre a origem",
        stage=STAGES,
    ),
    Sentence(
        "silence #{silence:d}{by} until {end} UTC{because}",
        "silêncio #{silence}{by} até {end} UTC{because}",
        by=[NOTHING, Sentence(" by {who}", " de {who}")],
        because=BECAUSE,
    ),
    Sentence(
        "maintenance window #{window:d} “{name}” until {end} UTC{because}",
        "janela de manutenção #{window} “{name}” até {end} UTC{because}",
        because=BECAUSE,
    ),
]
PART_LINKED = Sentence(
    "#{part:d} {family}: {relation}",
    "#{part} {family}: {relation}",
    family=FAMILY_NAMES,
    relation=RELATIONS,
)
PART_OVER = Sentence(
    "#{part:d} {family} is over", "#{part} {family}: terminou", family=FAMILY_NAMES
)
# What a page says of many parts in one line.
PARTS_LINKED = Sentence(
    "{amount:d} parts, #{first:d} to #{last:d}: {relation}",
    "{amount} partes, #{first} a #{last}: {relation}",
    relation=RELATIONS,
)
PARTS_OVER = Sentence(
    "{amount:d} parts, #{first:d} to #{last:d}, are over",
    "{amount} partes, #{first} a #{last}: terminaram",
)
KINSHIP = [
    Sentence("{relation}: #{root:d}", "{relation}: #{root}", relation=RELATIONS),
    PART_LINKED,
    PARTS_LINKED,
    PARTS_OVER,
    Sentence("as grave as #{part:d}", "tão grave quanto #{part}"),
    Sentence(
        "what was #{before:d} goes on as #{root:d}", "o que era #{before} continua como #{root}"
    ),
    Sentence(
        "tells for itself, as nobody may be told of #{root:d}: {held}",
        "avisa por si, pois ninguém pode ser avisado de #{root}: {held}",
        held=SUPPRESSION,
    ),
    Sentence(
        "stands apart from #{root:d}, as nobody may be told of it: {held}",
        "fica separado de #{root}, pois ninguém pode ser avisado dele: {held}",
        held=SUPPRESSION,
    ),
    Sentence("comes back without #{root:d}, which is over", "volta sem #{root}, que terminou"),
    PART_OVER,
    Sentence("the source is no longer watched", "a origem não é mais monitorada"),
    TAKEN_BACK,
]
ALERTMANAGER = [
    Sentence("the alert fires again", "o alerta dispara de novo"),
    Sentence("rose to {level}", "subiu para {level}", level=LEVELS),
    Sentence("alert {name} fires", "o alerta {name} dispara"),
    Sentence("Alertmanager says it is over", "o Alertmanager diz que terminou"),
]
ESCALATION = [
    Sentence(
        "{policy}, step {step:d}: {whom}",
        "{policy}, passo {step}: {whom}",
        whom=[
            Sentence("nobody is on call in {schedule}", "ninguém está de plantão em {schedule}"),
            Sentence("{who} has no channel", "{who} não tem canal"),
            ANYTHING,
        ],
    ),
    Sentence("acknowledged by {who}, still going on", "assumido por {who}, ainda em curso"),
]
ACTS = [
    Sentence("acknowledged by {who}", "assumido por {who}"),
    Sentence("mitigated by {who}", "mitigado por {who}"),
    Sentence("resolved by {who}", "resolvido por {who}"),
    Sentence("reopened by {who}", "reaberto por {who}"),
    Sentence("#{part:d} reopened by {who}", "#{part} reaberto por {who}"),
    Sentence("closed as {label} by {who}", "encerrado como {label} por {who}", label=LABELS),
    Sentence("merged into #{root:d}", "unificado em #{root}"),
    Sentence("took in #{part:d}", "recebeu #{part}"),
    Sentence("split off from #{root:d}", "separado de #{root}"),
    Sentence("split off #{part:d}", "separou #{part}"),
    Sentence("assigned to {who}", "atribuído a {who}"),
    Sentence("assigned by {who}", "atribuído por {who}"),
    Sentence("no longer assigned to {who}", "não mais atribuído a {who}"),
]
# Why a channel could not be used; what a vendor says is told in the vendor's words.
FAULTS = [
    Sentence("the channel lacks its settings: {missing}", "faltam configurações: {missing}"),
    Sentence(
        "a webhook's address begins with https://",
        "o endereço de um webhook começa com https://",
    ),
    Sentence("the name {host} is not known now", "o nome {host} não é conhecido agora"),
    Sentence(
        "{host} is inside a private network; an administrator can allow it with “allow_private”",
        "{host} fica numa rede privada; um administrador pode permitir com “allow_private”",
    ),
    Sentence("install it with: pip install apprise", "instale com: pip install apprise"),
    Sentence("apprise does not know this address", "o apprise não conhece este endereço"),
    Sentence("apprise could not deliver it", "o apprise não conseguiu entregar"),
    Sentence(
        "not an address that can be called: {error}",
        "não é um endereço que se possa chamar: {error}",
    ),
    Sentence("no answer: {error}", "sem resposta: {error}"),
    Sentence(
        "HTTP {status:d} with an answer that is not JSON",
        "HTTP {status} com uma resposta que não é JSON",
    ),
    Sentence(
        "HTTP {status:d}: it leads elsewhere, and is not followed; write the address it leads to",
        "HTTP {status}: leva a outro lugar, e não se segue; escreva o endereço a que leva",
    ),
    Sentence("the answer is not a JSON object", "a resposta não é um objeto JSON"),
    Sentence(
        "this is no address: write https://host/path",
        "isto não é um endereço: escreva https://servidor/caminho",
    ),
    Sentence(
        "port {port}: write a number, 1 to {last:d}",
        "porta {port}: escreva um número, de 1 a {last}",
    ),
    Sentence(
        "security is starttls, tls, or left out",
        "security é starttls, tls, ou nada",
    ),
    Sentence("{name}: {one} is no e-mail address", "{name}: {one} não é um endereço de e-mail"),
    Sentence("not sent by now", "não enviado até agora"),
    Sentence("there is no terminal", "não há terminal"),
    Sentence(
        "the mail server refuses our password: {error}",
        "o servidor de e-mail recusa a nossa senha: {error}",
    ),
    Sentence("recipients refused: {codes}", "destinatários recusados: {codes}"),
    Sentence("some recipients refused: {codes}", "alguns destinatários recusados: {codes}"),
    Sentence("mail server: {code}", "servidor de e-mail: {code}"),
]
AGAIN = Sentence("sent again by {who}", "enviado de novo por {who}")
NEWS = [
    *POLICY,
    *KINSHIP,
    *SUPPRESSION,
    *ALERTMANAGER,
    *ESCALATION,
    *ACTS,
    Sentence(
        "{level} {family} at {source}",
        "{family} em {source}, nível {level}",
        level=LEVELS,
        family=FAMILY_NAMES,
    ),
    AGAIN,
    Sentence(
        "stuck in {channel}: {fault}", "preso em {channel}: {fault}", fault=[*FAULTS, ANYTHING]
    ),
    Sentence("{channel} failed: {fault}", "{channel} falhou: {fault}", fault=[*FAULTS, ANYTHING]),
]
OUTBOX = [
    Sentence("it came back before this was sent", "voltou antes deste envio"),
    Sentence(
        "over before it was sent: told in one message",
        "terminou antes do envio: tudo contado em uma só mensagem",
    ),
    Sentence(
        "below the channel's minimum, {level}", "abaixo do mínimo do canal, {level}", level=LEVELS
    ),
    Sentence(
        "{reason}; quiet hours until {end} UTC",
        "{reason}; horas de silêncio até {end} UTC",
        reason=[*NEWS, ANYTHING],
    ),
]
SENT = Sentence(
    "{kind} to {channel}: {said}",
    "{kind} para {channel}: {said}",
    kind=KINDS,
    said=[*OUTBOX, *NEWS, *FAULTS, ANYTHING],
)
# What Guardian writes for itself; what may hold another sentence comes before it.
OWN = [SENT, *OUTBOX, *NEWS]
# What it writes of what somebody does, by the kind of the line; the rest is the person's words.
OF_PEOPLE = {
    "closed": [Sentence("{label}{because}", "{label}{because}", label=LABELS, because=BECAUSE)],
    "merged": [Sentence("into #{root:d}{because}", "em #{root}{because}", because=BECAUSE)],
    "split": [
        Sentence("from #{root:d}{because}", "de #{root}{because}", because=BECAUSE),
        Sentence("#{part:d}", "#{part}"),
    ],
    "assigned": [
        Sentence("to {who}{because}", "a {who}{because}", because=BECAUSE),
        Sentence("no longer to {who}{because}", "não mais a {who}{because}", because=BECAUSE),
    ],
    "linked": [Sentence("took in #{part:d}", "recebeu #{part}")],
    "commented": [
        Sentence(
            "silence #{silence:d} for {minutes:d} min", "silêncio #{silence} por {minutes} min"
        ),
        Sentence(
            "ended silence #{silence:d}{others}",
            "encerrou o silêncio #{silence}{others}",
            others=[NOTHING, Sentence(", #{others}", ", #{others}")],
        ),
    ],
    "resolved": [
        Sentence(
            "reset: learned state and open anomalies were cleared",
            "reset: o que se aprendeu e as anomalias abertas foram apagados",
        )
    ],
}


def is_taken_back(incident: Incident) -> bool:
    """Say whether an incident ended because nothing of it was left."""
    ended = incident.events.filter(kind=IncidentEvent.Kind.RESOLVED).last()
    return ended is not None and ended.why == TAKEN_BACK.english and not incident.resolved_by
