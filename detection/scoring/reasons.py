"""What detection says of a judged minute, each sentence beside its Portuguese."""

from detection.scoring.wording import Sentence

# The series that are judged, as an analyst calls them.
LABELS = {
    "not_approved": Sentence("transactions not approved", "Transações não aprovadas"),
    "denied": Sentence("denials", "Negadas"),
    "failed": Sentence("failures", "Falhas"),
    "reversed": Sentence("reversals", "Estornos"),
    "backend_reversed": Sentence("backend reversals", "Estornos pelo backend"),
    "refunded": Sentence("refunds", "Reembolsos"),
}
# ISO 8583 response codes.
MEANINGS = {
    "05": Sentence("do not honour", "não autorizada"),
    "14": Sentence("invalid card number", "cartão inválido"),
    "51": Sentence("insufficient funds", "saldo insuficiente"),
    "54": Sentence("expired card", "cartão vencido"),
    "57": Sentence("not permitted to cardholder", "não permitida ao portador"),
    "59": Sentence("suspected fraud", "suspeita de fraude"),
    "61": Sentence("over the limit", "acima do limite"),
    "63": Sentence("security violation", "violação de segurança"),
    "91": Sentence("issuer unavailable", "emissor fora do ar"),
    "96": Sentence("system malfunction", "falha de sistema"),
}
RARE_CODES = Sentence("denials with rare codes", "Negadas com códigos raros")
KNOWN_CODE = Sentence(
    "denials with code {code} ({meaning})",
    "Negadas com código {code} ({meaning})",
    meaning=MEANINGS.values(),
)
OTHER_CODE = Sentence("denials with code {code}", "Negadas com código {code}")
SUBJECTS = (*LABELS.values(), RARE_CODES, KNOWN_CODE, OTHER_CODE)

NO_ASIDE = Sentence("", "")
NEVER_SEEN = Sentence(
    "; not one in {before:,.0f} transactions before, so fewer than 1 in {usual:,.0f} is usual",
    "; nem uma em {before} transações antes, então o usual é menos de 1 em {usual}",
)
OTHER_MIX = Sentence("; they fall on other codes than usual", "; os códigos não são os de costume")
USUAL_MIX = Sentence(
    "; they fall on their codes as usual", "; divididas entre os códigos como de costume"
)
ASIDES = (NO_ASIDE, NEVER_SEEN, OTHER_MIX, USUAL_MIX)

NOTHING_REPORTED = Sentence(
    "Nothing reported for {minutes:d} min; about {expected:.0f} transactions were expected{aside}.",
    "Nenhuma transação reportada por {minutes} min; o esperado era cerca de {expected}{aside}.",
    aside=ASIDES,
)
VOLUME = Sentence(
    "{seen:.0f} transactions in {minutes:d} min, {expected:.0f} expected ({change:+.0f} %){aside}.",
    "Transações: {seen} em {minutes} min; o esperado era {expected} ({change} %){aside}.",
    aside=ASIDES,
)
SHARE = Sentence(
    "{seen:.0f} {subject} in {minutes:d} min, {expected:.0f} expected{aside}.",
    "{subject}: {seen} em {minutes} min; o esperado era {expected}{aside}.",
    subject=SUBJECTS,
    aside=ASIDES,
)
REASONS = (NOTHING_REPORTED, VOLUME, SHARE)
