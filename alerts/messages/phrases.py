"""Every sentence that people read in a message, in each language."""

from detection.scoring.wording import PORTUGUESE, Sentence, portuguese_number

DEFAULT = "en"
# What another system's alert asks for, as it is stored.
ADVICE = Sentence("See {address}", "Veja {address}")

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "family.decline": "Denials above normal",
        "family.technical_failure": "Technical failures",
        "family.reversal": "Reversals above normal",
        "family.volume_low": "Too few transactions",
        "family.volume_high": "Too many transactions",
        "family.silence": "Nothing reported",
        "family.code_mix": "Auth codes shifted",
        "family.external": "External alert",
        "family.watch": "Guardian itself has stalled",
        "family.low": "{family}: below normal",
        "headline": "{family} at {source}",
        "and_more_one": "and {number} more source",
        "and_more": "and {number} more sources",
        "kind.opened": "New incident",
        "kind.escalated": "Now {level}",
        "kind.reopened": "Back again",
        "kind.resolved": "Resolved",
        "kind.reminder": "Still open",
        "kind.assigned": "Assigned to you",
        "level.NORMAL": "normal",
        "level.WARNING": "warning",
        "level.CRITICAL": "critical",
        "state.open": "open",
        "state.acknowledged": "acknowledged by {who}",
        "state.mitigated": "mitigated",
        "state.resolved": "resolved",
        "state.closed": "closed: {label}",
        "state.merged": "merged",
        "since": "Since {time}",
        "lasted": "Lasted {duration} ({begin} to {end})",
        "resolved_by": "Resolved by {who}",
        "resolved_alone": "Back to normal by itself",
        "false_positive": "Labelled a false positive by {who}",
        "taken_back": "Taken back: the corrected counts show nothing wrong",
        "seen": "{seen} seen in the worst minute, {expected} expected",
        "seen_band": "{seen} seen in the worst minute, {expected} expected ({lower} to {upper})",
        "excess.high": "About {excess} more than normal so far ({low} to {high})",
        "excess.low": "About {excess} missing so far ({low} to {high})",
        "excess.high.over": "About {excess} more than normal in all ({low} to {high})",
        "excess.low.over": "About {excess} missing in all ({low} to {high})",
        "excess.high.bare": "About {excess} more than normal",
        "excess.low.bare": "About {excess} missing",
        "codes": "Codes",
        "code": "{code} {meaning} {share} %",
        "owner": "Likely owner",
        "assigned": "Assigned to",
        "assigned_by": "Assigned by {who}",
        "first": "First",
        "runbook": "Runbook",
        "parts": "Includes",
        "part_of": "Part of #{id}",
        "open_page": "Open incident #{id}",
        "duration.days": "{days} d {hours} h",
        "duration.hours": "{hours} h {minutes} min",
        "duration.minutes": "{minutes} min",
        "escalation": "Not acknowledged for {duration}",
        "reminder": "Acknowledged by {who} {duration} ago, still going on",
        "button.acknowledge": "Acknowledge",
        "button.resolve": "Resolve",
        "button.silence": "Silence 1 h",
        "button.false_positive": "False positive",
        "bot.help": "/status current state\n/incidents open incidents\n/anomalies the last five"
        " anomalies\n/ack 7 · /resolve 7 · /silence 7 60 (minutes)\n/subscribe · /unsubscribe",
        "bot.stranger": "This chat is not authorised. Its ID is {chat}: ask an administrator to"
        " add it as a Telegram channel.",
        "bot.unknown": "Unknown command. /help lists what I can do.",
        "bot.status": "{open}, {critical} critical. {outbox}",
        "bot.open": "{number} open incidents",
        "bot.open_one": "{number} open incident",
        "bot.outbox.fine": "No messages are waiting.",
        "bot.outbox.waits": "The oldest message has waited {duration}.",
        "bot.stage": "{stage} has stalled",
        "watch.stopped": "Guardian itself: {stage} has stalled",
        "watch.stopped.text": "Nothing has come through since {time} UTC. Notifications may not"
        " arrive. Check /health and restart the part it names.",
        "watch.goes": "Guardian itself: {stage} is running again",
        "watch.goes.text": "The backlog is being processed.",
        "test": "Transaction Guardian: test",
        "test.text": "Asked for by {who}.",
        "bot.none": "Nothing.",
        "bot.number": "Say which incident: /{command} 7",
        "bot.done": "#{id}: done.",
        "bot.missing": "There is no incident #{id}.",
        "bot.reader": "You can read here, but not act.",
        "bot.subscribed": "This chat now gets incident notifications.",
        "bot.unsubscribed": "This chat gets no notifications until /subscribe.",
        "report.daily": "Daily digest, {span}",
        "report.weekly": "Weekly digest, {span}",
        "report.handover": "Handover, {span}",
        "report.false": "{number} false positives",
        "report.false_one": "{number} false positive",
        "report.by_source": "By source",
        "report.incidents": "{number} incidents",
        "report.incidents_one": "{number} incident",
        "report.open": "Still open",
        "report.held": "{who} has it",
        "report.nobodys": "nobody has it",
        "report.silences": "Active silences",
        "report.silence": "silence #{id} until {end} UTC",
        "report.windows": "Maintenance now or soon",
        "report.notes": "Notes",
        "report.on_call": "On call",
        "report.dead": "{number} messages could not be delivered: see the outbox",
        "report.dead_one": "{number} message could not be delivered: see the outbox",
        "action.decline": "Check which codes rose: 51 and 05 point to issuers, 59 to fraud rules,"
        " 91 and 96 to the network. Call the owner of the largest.",
        "action.technical_failure": "Check the last release and the acquirer link; compare"
        " failures by host, and roll back if they began with a release.",
        "action.reversal": "Check timeouts between us and the acquirer: reversals follow answers"
        " that come too late.",
        "action.volume_low": "Check that the source can reach us: acquirer link, gateway, DNS,"
        " certificate. Compare with the other sources.",
        "action.volume_high": "Look for retries, duplicates or card testing; check capacity. Ask"
        " whether a campaign is running.",
        "action.silence": "Check whether the source is down or only its reporting: ask it for one"
        " transaction, then look at the sender.",
        "action.silence_everywhere": "Several sources fell silent together: look at our own side"
        " first. Open /health, then the load balancer, the certificate and the network to us.",
        "action.code_mix": "Compare codes with yesterday: a code that vanished is often a rule"
        " switched off, fraud control (59) first.",
        "action.external": "Open the alert at the system that sent it.",
        "action.watch": "Check /health and restart the part it names.",
    },
    "pt-br": {
        "family.decline": "Negadas acima do normal",
        "family.technical_failure": "Falhas técnicas",
        "family.reversal": "Estornos acima do normal",
        "family.volume_low": "Transações de menos",
        "family.volume_high": "Transações demais",
        "family.silence": "Nada está chegando",
        "family.code_mix": "Códigos de resposta mudaram",
        "family.external": "Alerta externo",
        "family.watch": "O próprio Guardian parou",
        "family.low": "{family}: abaixo do normal",
        "headline": "{family} em {source}",
        "and_more_one": "e mais {number} origem",
        "and_more": "e mais {number} origens",
        "kind.opened": "Novo incidente",
        "kind.escalated": "Agora {level}",
        "kind.reopened": "Voltou",
        "kind.resolved": "Resolvido",
        "kind.reminder": "Ainda aberto",
        "kind.assigned": "Atribuído a você",
        "level.NORMAL": "normal",
        "level.WARNING": "atenção",
        "level.CRITICAL": "crítico",
        "state.open": "aberto",
        "state.acknowledged": "assumido por {who}",
        "state.mitigated": "mitigado",
        "state.resolved": "resolvido",
        "state.closed": "encerrado: {label}",
        "state.merged": "unificado",
        "since": "Desde {time}",
        "lasted": "Durou {duration} ({begin} a {end})",
        "resolved_by": "Resolvido por {who}",
        "resolved_alone": "Voltou ao normal sozinho",
        "false_positive": "Marcado como falso positivo por {who}",
        "taken_back": "Retirado: as contagens corrigidas não mostram nada de errado",
        "seen": "{seen} no pior minuto, {expected} esperadas",
        "seen_band": "{seen} no pior minuto, {expected} esperadas ({lower} a {upper})",
        "excess.high": "Cerca de {excess} acima do normal até agora ({low} a {high})",
        "excess.low": "Cerca de {excess} a menos até agora ({low} a {high})",
        "excess.high.over": "Cerca de {excess} acima do normal no total ({low} a {high})",
        "excess.low.over": "Cerca de {excess} a menos no total ({low} a {high})",
        "excess.high.bare": "Cerca de {excess} acima do normal",
        "excess.low.bare": "Cerca de {excess} a menos",
        "codes": "Códigos",
        "code": "{code} {meaning} {share} %",
        "owner": "Provável responsável",
        "assigned": "Atribuído a",
        "assigned_by": "Atribuído por {who}",
        "first": "Primeiro",
        "runbook": "Roteiro",
        "parts": "Inclui",
        "part_of": "Parte de #{id}",
        "open_page": "Abrir incidente #{id}",
        "duration.days": "{days} d {hours} h",
        "duration.hours": "{hours} h {minutes} min",
        "duration.minutes": "{minutes} min",
        "escalation": "Ninguém assumiu há {duration}",
        "reminder": "Assumido por {who} há {duration}, ainda em curso",
        "button.acknowledge": "Assumir",
        "button.resolve": "Resolver",
        "button.silence": "Silenciar 1 h",
        "button.false_positive": "Falso positivo",
        "bot.help": "/status situação atual\n/incidents incidentes abertos\n/anomalies as cinco"
        " últimas anomalias\n/ack 7 · /resolve 7 · /silence 7 60 (minutos)\n/subscribe ·"
        " /unsubscribe",
        "bot.stranger": "Este chat não está autorizado. O ID dele é {chat}: peça a um"
        " administrador que o cadastre como canal do Telegram.",
        "bot.unknown": "Comando desconhecido. /help mostra o que posso fazer.",
        "bot.status": "{open}, {critical} em nível crítico. {outbox}",
        "bot.open": "{number} incidentes abertos",
        "bot.open_one": "{number} incidente aberto",
        "bot.outbox.fine": "Nenhuma mensagem na fila.",
        "bot.outbox.waits": "A mensagem mais antiga espera há {duration}.",
        "bot.stage": "{stage} parou",
        "watch.stopped": "O próprio Guardian: {stage} parou",
        "watch.stopped.text": "Nada passou desde {time} UTC. Os avisos podem não chegar. Abra"
        " /health e reinicie a parte que ele indica.",
        "watch.goes": "O próprio Guardian: {stage} voltou a funcionar",
        "watch.goes.text": "O que ficou acumulado está sendo processado.",
        "test": "Transaction Guardian: teste",
        "test.text": "Pedido por {who}.",
        "bot.none": "Nada.",
        "bot.number": "Diga qual incidente: /{command} 7",
        "bot.done": "#{id}: feito.",
        "bot.missing": "Não existe o incidente #{id}.",
        "bot.reader": "Aqui você pode ler, não agir.",
        "bot.subscribed": "Este chat agora recebe os avisos de incidentes.",
        "bot.unsubscribed": "Este chat não recebe avisos até /subscribe.",
        "report.daily": "Resumo do dia, {span}",
        "report.weekly": "Resumo da semana, {span}",
        "report.handover": "Passagem de turno, {span}",
        "report.false": "{number} falsos positivos",
        "report.false_one": "{number} falso positivo",
        "report.by_source": "Por origem",
        "report.incidents": "{number} incidentes",
        "report.incidents_one": "{number} incidente",
        "report.open": "Ainda abertos",
        "report.held": "com {who}",
        "report.nobodys": "sem ninguém",
        "report.silences": "Silêncios em vigor",
        "report.silence": "silêncio #{id} até {end} UTC",
        "report.windows": "Manutenção agora ou em breve",
        "report.notes": "Anotações",
        "report.on_call": "De plantão",
        "report.dead": "{number} mensagens não puderam ser entregues: veja a caixa de saída",
        "report.dead_one": "{number} mensagem não pôde ser entregue: veja a caixa de saída",
        "action.decline": "Veja quais códigos subiram: 51 e 05 apontam para emissores, 59 para"
        " regras de fraude, 91 e 96 para a rede. Ligue para o dono do maior.",
        "action.technical_failure": "Confira a última versão publicada e o link com o adquirente;"
        " compare as falhas por servidor e reverta se começaram com uma versão.",
        "action.reversal": "Confira os tempos de resposta com o adquirente: estornos seguem"
        " respostas que chegam tarde demais.",
        "action.volume_low": "Confira se a origem consegue nos alcançar: link, gateway, DNS,"
        " certificado. Compare com as outras origens.",
        "action.volume_high": "Procure retentativas, duplicidades ou teste de cartões; confira a"
        " capacidade. Pergunte se há uma campanha.",
        "action.silence": "Confira se a origem caiu ou só o envio: peça uma transação e depois"
        " olhe o remetente.",
        "action.silence_everywhere": "Várias origens silenciaram juntas: veja primeiro o nosso"
        " lado. Abra /health, depois o balanceador, o certificado e a rede até nós.",
        "action.code_mix": "Compare os códigos com ontem: um código que sumiu costuma ser uma"
        " regra desligada, primeiro o antifraude (59).",
        "action.external": "Abra o alerta no sistema que o enviou.",
        "action.watch": "Veja /health e reinicie a parte indicada.",
    },
}

# What detection calls statuses and owners; a word it does not know is shown as it is.
NAMES: dict[str, dict[str, str]] = {
    "en": {
        "backend_reversed": "reversed by the backend",
        "customer": "customers",
        "network": "card network",
        "us": "our platform",
        "traffic": "whoever sends the traffic",
    },
    "pt-br": {
        "approved": "aprovadas",
        "denied": "negadas",
        "failed": "com falha",
        "reversed": "estornadas",
        "backend_reversed": "estornadas pelo backend",
        "refunded": "reembolsadas",
        "issuer": "emissor",
        "customer": "clientes",
        "fraud control": "antifraude",
        "network": "rede da bandeira",
        "us": "nossa plataforma",
        "traffic": "quem envia o tráfego",
    },
}

# ISO 8583 response codes, as an analyst calls them.
CODES: dict[str, dict[str, str]] = {
    "en": {
        "00": "approved",
        "05": "do not honour",
        "14": "invalid card number",
        "51": "no funds",
        "54": "expired card",
        "57": "not permitted to cardholder",
        "59": "suspected fraud",
        "61": "over the limit",
        "63": "security violation",
        "91": "issuer down",
        "96": "system malfunction",
    },
    "pt-br": {
        "00": "aprovada",
        "05": "não autorizada",
        "14": "cartão inválido",
        "51": "saldo insuficiente",
        "54": "cartão vencido",
        "57": "não permitida ao portador",
        "59": "suspeita de fraude",
        "61": "acima do limite",
        "63": "violação de segurança",
        "91": "emissor fora do ar",
        "96": "falha de sistema",
    },
}


def say(key: str, language: str, **values: object) -> str:
    """Return a phrase with its values filled in.

    Examples
    --------
    >>> say("since", "pt-br", time="02:10")
    'Desde 02:10'
    """
    return PHRASES.get(language, PHRASES[DEFAULT])[key].format(**values)


def say_number(key: str, language: str, amount: int) -> str:
    """Return a phrase about some things, in the singular for one of them.

    Examples
    --------
    >>> say_number("report.incidents", "en", 1), say_number("report.incidents", "en", 0)
    ('1 incident', '0 incidents')
    """
    return say(f"{key}_one" if amount == 1 else key, language, number=amount)


def meaning_of(code: str, language: str) -> str:
    """Return what a response code means; empty if it is not a common one."""
    return CODES.get(language, CODES[DEFAULT]).get(code, "")


def name_of(word: str, language: str) -> str:
    """Return what people call a status or an owner.

    Examples
    --------
    >>> name_of("denied", "pt-br"), name_of("us", "en"), name_of("issuer", "en")
    ('negadas', 'our platform', 'issuer')
    """
    return NAMES.get(language, NAMES[DEFAULT]).get(word, word)


def number(value: float, language: str) -> str:
    """Write a count as people of the language do, small ones with a decimal.

    Examples
    --------
    >>> number(12345.6, "en"), number(12345.6, "pt-br"), number(2.25, "pt-br"), number(0.01, "en")
    ('12,346', '12.346', '2,2', '0')
    """
    small = abs(value) < 10 and value != int(value)
    text = f"{value:,.1f}".removesuffix(".0") if small else f"{value:,.0f}"
    return portuguese_number(text) if language == PORTUGUESE else text
