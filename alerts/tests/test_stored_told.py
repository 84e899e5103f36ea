"""What is stored in English is told in Portuguese; what people wrote stays as it is."""

import ast
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from alerts import services
from alerts.conf import Rules
from alerts.lifecycle import TRANSITIONS, Action, IllegalTransition, State, next_state
from alerts.messages import timeline
from alerts.messages.stored import cause_told, fault_told, line_told, refusal_told
from alerts.models import IncidentEvent, Notification
from alerts.models.incident import FAMILIES
from alerts.policy import Finding, Kin, Standing, decide, decide_resolution, relation
from alerts.services.channels import disable_channel
from alerts.services.sending import resend
from alerts.tests.makers import at, live, make_channel, make_source, open_incident
from alerts.tests.pages import PAGE, operator, pressed
from detection.scoring.series import FAMILIES as FOUND
from detection.scoring.wording import PORTUGUESE, Sentence

NO_WORDS = {timeline.NOTHING, timeline.ANYTHING}


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        ("rose from WARNING to CRITICAL", "subiu de atenção para crítico"),
        (
            "back 5 min after its last bad minute",
            "voltou 5 min depois do último minuto ruim",
        ),
        ("20 minutes judged normal", "20 minutos julgados normais"),
        ("began together at the same source: #7", "começaram juntos na mesma origem: #7"),
        (
            "#7 Technical failures: part of volume_low at the source above it",
            "#7 falhas técnicas: parte de volume baixo na origem acima desta",
        ),
        (
            "opened to console: CRITICAL denials at default",
            "abertura para console: negadas em default, nível crítico",
        ),
        (
            "opened to console: WARNING denials at default; quiet hours until 07:00 UTC",
            "abertura para console: negadas em default, nível atenção; horas de silêncio até 07:00"
            " UTC",
        ),
        (
            "silence #3 by ana until 2026-03-02 13:00 UTC: known outage",
            "silêncio #3 de ana até 2026-03-02 13:00 UTC: known outage",
        ),
        (
            "maintenance window #2 “deploy” until 13:00 UTC",
            "janela de manutenção #2 “deploy” até 13:00 UTC",
        ),
        (
            "tells for itself, as nobody may be told of #4: silence #3 until 2026-03-02 13:00 UTC",
            "avisa por si, pois ninguém pode ser avisado de #4: silêncio #3 até 2026-03-02 13:00"
            " UTC",
        ),
        (
            "nights, step 2: nobody is on call in nights",
            "nights, passo 2: ninguém está de plantão em nights",
        ),
        (
            "phone failed: HTTP 404: no_service",
            "phone falhou: HTTP 404: no_service",
        ),
        (
            "resolved to phone: no answer: ConnectTimeout",
            "fim para phone: sem resposta: ConnectTimeout",
        ),
    ],
)
def test_a_line_reads_in_portuguese(english: str, portuguese: str) -> None:
    assert cause_told(english, PORTUGUESE) == portuguese
    assert cause_told(english, "en") == english


def sentences() -> list[Sentence]:
    of_people = [one for some in timeline.OF_PEOPLE.values() for one in some]
    return [*timeline.OWN, *timeline.FAULTS, *of_people]


@pytest.mark.parametrize("one", sentences(), ids=repr)
def test_every_sentence_has_its_portuguese(one: Sentence) -> None:
    words = re.sub(r"{.*?}", "", one.english)
    assert one.portuguese != re.sub(r":[a-z]}", "}", one.english) or not re.search("[a-z]", words)


def test_every_family_label_stage_and_level_has_its_name() -> None:
    assert set(timeline.FAMILIES_TOLD) == {family for family, _label in FAMILIES}
    named = [*timeline.LEVELS, *timeline.FAMILY_NAMES, *timeline.LABELS, *timeline.STAGES]
    assert [one for one in named if not one.portuguese] == []


def known(text: str) -> bool:
    return any(one.told(text) is not None for one in timeline.OWN)


def test_all_that_the_policy_can_decide_is_told() -> None:
    levels, states = ("WARNING", "CRITICAL"), ("open", "resolved", "closed")
    standings = [
        None,
        *(
            Standing(state, level, at(0), at(5), at(6), hand, false, 1)
            for state, level, hand, false in product(states, levels, (True, False), (True, False))
        ),
    ]
    findings = [
        Finding(at(minute), level, past)
        for minute, level, past in product((2, 7, 30, 900), levels, (True, False))
    ]
    rules = Rules()
    said = {
        decide(finding, standing, now=finding.minute, rules=rules).reason
        for finding, standing in product(findings, standings)
    }
    said |= {
        decide_resolution(standing, judged_through=through, rules=rules).reason
        for standing, through in product(standings[1:], (None, at(6), at(90)))
        if standing
    }
    assert len(said) > 12
    assert [text for text in said if not known(text)] == []


def test_all_that_ties_incidents_is_told() -> None:
    kin = [
        Kin(source, parent, family, "CRITICAL", at(0), at(0))
        for source, parent, family in product((1, 2, 3), (None, 1), FOUND)
    ]
    said = {
        relation(new, root, Rules(), last_heard=heard)
        for new, root, heard in product(kin, kin, (None, at(-1)))
    } - {None}
    assert len(said) > 6
    assert [text for text in said if not known(f"{text}: #7")] == []


def faults() -> list[str]:
    """Every text that a channel can fail with, its facts filled in."""
    folder = Path(settings.BASE_DIR, "alerts")
    return raised("ChannelError", *folder.glob("channels/*.py"), folder / "services" / "sending.py")


def raised(error: str, *files: Path) -> list[str]:
    """Every text of an error that the files raise, its facts filled in."""
    calls = [
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == error
    ]
    return [filled(call.args[0]) for call in calls]


def filled(text: ast.expr) -> str:
    if isinstance(text, ast.JoinedStr):
        return "".join(filled(part) for part in text.values)
    return str(text.value) if isinstance(text, ast.Constant) else "404"


def test_every_fault_of_a_channel_is_told() -> None:
    found = faults()
    assert len(found) > 15
    for fault in found:
        # What is left to tell without our words is the vendor's: "HTTP 404: …".
        own = re.search("[a-z]{2}", fault.removeprefix("WhatsApp"))
        assert fault_told(fault, PORTUGUESE) != fault or not own, fault


def test_every_refusal_of_a_service_is_told() -> None:
    files = [*Path(settings.BASE_DIR, "alerts", "services").glob("*.py")]
    found = [*raised("ValueError", *files), *raised("IllegalTransition", *files)]
    assert len(found) > 8
    assert [one for one in found if refusal_told(ValueError(one), PORTUGUESE) == one] == []


@pytest.mark.parametrize(
    ("state", "action"), [pair for pair in product(State, Action) if pair not in TRANSITIONS]
)
def test_what_a_state_refuses_is_told(state: State, action: Action) -> None:
    with pytest.raises(IllegalTransition) as refused:
        next_state(state, action)
    told = refusal_told(refused.value, PORTUGUESE)
    assert re.fullmatch(r"Um incidente \w+ não permite “\w+”; permite: [\w, ]+\.", told)
    assert not {*State.values, *Action.values} & {*re.findall(r"\w+", told)}


@pytest.mark.django_db
class TestPages:
    def test_a_refused_click_says_why_in_portuguese(self) -> None:
        incident = open_incident()
        with translation.override("pt-br"):
            pressed(client := operator(), incident, "resolve")
            page = pressed(client, incident, "acknowledge")
        assert "Um incidente resolvido não permite “assumir”; permite: " in page

    def test_the_timeline_and_the_messages_are_told_in_portuguese(self, client: Client) -> None:
        make_channel("phone")
        incident = open_incident(level="WARNING")
        open_incident(minute=1)
        live(8, bad=set(), first=2)
        with translation.override("pt-br"):
            page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
        assert "primeiro incidente do tipo, nível atenção" in page
        assert "subiu de atenção para crítico" in page
        assert "5 minutos julgados normais" in page
        assert "terminou antes do envio" in page
        english = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
        assert "rose from WARNING to CRITICAL" in english

    def test_what_people_wrote_stays_as_it_is(self, client: Client) -> None:
        incident = open_incident()
        by: Any = {"incident_id": incident.pk, "actor": "ana", "via": "web", "now": at(1)}
        services.comment(text="goes on", **by)
        services.close(label="planned", why="no answer: ask Bia", **by)
        with translation.override("pt-br"):
            page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
        assert "<blockquote>goes on</blockquote>" in page
        assert "<blockquote>trabalho planejado: no answer: ask Bia</blockquote>" in page

    def test_who_silences_says_so_in_the_readers_language(self) -> None:
        incident = open_incident()
        services.silence_incident(
            incident_id=incident.pk, minutes=60, actor="ana", via="web", now=at(1)
        )
        line = IncidentEvent.objects.get(kind="commented")
        assert re.fullmatch(r"silêncio #\d+ por 60 min", line_told(line, PORTUGUESE))

    def test_a_message_sent_again_is_told_in_portuguese(self) -> None:
        make_channel("phone")
        open_incident()
        row = Notification.objects.filter(channel__name="phone").get()
        Notification.objects.filter(pk=row.pk).update(state="dead")
        row = resend(notification_id=row.pk, actor="ana", now=at(2))
        assert cause_told(row.reason, PORTUGUESE) == "enviado de novo por ana"

    def test_a_broken_channel_says_why_in_portuguese(self) -> None:
        make_source()
        channel = make_channel("phone")
        disable_channel(channel=channel, reason="there is no terminal", now=at(0))
        with translation.override("pt-br"):
            page = operator().get("/", headers=PAGE).content.decode()
        assert "não há terminal" in page
