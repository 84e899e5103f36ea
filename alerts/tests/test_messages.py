import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.lifecycle import State
from alerts.messages import brief_of, console, slack, telegram
from alerts.messages.brief import first_action
from alerts.messages.phrases import CODES, PHRASES
from alerts.models import Incident
from alerts.models.incident import FAMILIES
from alerts.services import acknowledge, merge, mitigate, resolve
from alerts.tests.makers import at, live, make_source, open_incident
from detection.messages import WATCH
from detection.scoring.reasons import MEANINGS


def fields(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_every_language_says_everything_with_the_same_facts(language: str) -> None:
    english, other = PHRASES["en"], PHRASES[language]
    assert english.keys() == other.keys()
    for key, phrase in other.items():
        assert fields(phrase) == fields(english[key]), key
    assert CODES["en"].keys() == CODES[language].keys()


def test_a_reason_calls_a_code_what_the_rest_of_the_message_calls_it() -> None:
    for code, meaning in MEANINGS.items():
        assert meaning.portuguese == CODES["pt-br"][code]


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_every_family_and_state_has_its_words(language: str) -> None:
    for family, _title in FAMILIES:
        assert f"family.{family}" in PHRASES[language]
        assert f"action.{family}" in PHRASES[language]
    for state in State.values:
        assert f"state.{state}" in PHRASES[language]


@pytest.mark.django_db
class TestBrief:
    def lines(self, incident: Incident, kind: str = "opened", language: str = "en") -> list[str]:
        incident.refresh_from_db()
        return brief_of(incident, kind=kind, language=language, now=at(20)).lines

    def test_it_says_since_when_how_much_and_who(self) -> None:
        assert self.lines(open_incident()) == [
            "Since 12:00 UTC",
            "denied 51: 42 seen in the worst minute, 6 expected (2 to 12)",
            "About 36 more than normal so far (28 to 44)",
            "Codes: 51 no funds 80 %",
            "Likely owner: issuer",
        ]

    def test_it_speaks_portuguese(self) -> None:
        brief = brief_of(open_incident(), kind="opened", language="pt-br", now=at(1))
        assert brief.banner == "CRÍTICO"
        assert brief.headline == "Negadas acima do normal em default"
        assert brief.lines[0] == "Desde 12:00 UTC"
        assert "negadas 51: 42 no pior minuto, 6 esperadas (2 a 12)" in brief.lines
        assert "Cerca de 36 acima do normal até agora (28 a 44)" in brief.lines
        assert "Provável responsável: emissor" in brief.lines

    def test_the_first_action_is_that_of_the_code_in_portuguese_too(self) -> None:
        brief = brief_of(open_incident(), kind="opened", language="pt-br", now=at(1))
        assert brief.first_action == (
            "Saldo insuficiente: pense primeiro no último dia de pagamento; depois procure"
            " retentativas dos mesmos cartões."
        )

    def test_a_warning_is_watched_first_in_portuguese_too(self) -> None:
        incident = open_incident(family="technical_failure", level="WARNING", auth_code="")
        brief = brief_of(incident, kind="opened", language="pt-br", now=at(1))
        assert brief.first_action.startswith("Observe por alguns minutos. Confira erros e timeouts")

    def test_without_a_recommendation_the_family_has_one(self) -> None:
        incident = open_incident(recommendation="")
        brief = brief_of(incident, kind="opened", language="pt-br", now=at(1))
        assert brief.first_action.startswith("Veja quais códigos")

    def test_the_advice_of_another_system_is_told_with_its_address(self) -> None:
        incident = open_incident()
        incident.family, incident.recommendation = "external", "See https://books/1"
        said = {name: first_action(incident, name) for name in PHRASES}
        assert said == {"en": "See https://books/1", "pt-br": "Veja https://books/1"}

    def test_nobody_is_told_to_wait_and_watch_what_is_critical(self) -> None:
        root = open_incident(
            family="volume_low", level="WARNING", recommendation=f"{WATCH.english}Check the link."
        )
        brief = brief_of(root, kind="opened", language="en", now=at(1))
        assert brief.first_action == "Watch it for a few minutes. Check the link."
        open_incident(family="silence", minute=1)
        root.refresh_from_db()
        assert root.level == "CRITICAL"
        brief = brief_of(root, kind="escalated", language="en", now=at(2))
        assert brief.first_action == "Check the link."

    def test_times_are_those_of_the_source_and_say_so_to_who_is_elsewhere(self) -> None:
        shop = make_source("shop", time_zone="America/Sao_Paulo")
        assert self.lines(open_incident(source=shop))[0] == "Since 09:00 UTC-3"

    def test_both_clocks_of_the_night_they_change_are_told(self) -> None:
        source = make_source("shop", time_zone="Europe/Lisbon")
        began = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
        incident = open_incident(source=source, minute_at=began)
        Incident.objects.update(
            state="resolved",
            last_anomaly=began + timedelta(minutes=29),
            resolved=began + timedelta(minutes=40),
        )
        lasted = self.lines(incident, "resolved")[0]
        assert lasted == "Lasted 30 min (01:50 UTC+1 to 01:20 UTC)"

    def test_another_day_is_named(self) -> None:
        incident = open_incident(onset=at(-60 * 20))
        assert self.lines(incident)[0] == "Since 2026-03-01 16:00 UTC"

    @pytest.mark.parametrize(
        ("facts", "line"),
        [
            (
                {"excess": -90.0, "excess_low": -120.0, "excess_high": -60.0},
                "About 90 missing so far (60 to 120)",
            ),
            (
                {"excess": 3.0, "excess_low": -1.0, "excess_high": 7.0},
                "About 3 more than normal so far (0 to 7)",
            ),
            (
                {"excess": 12.0, "excess_low": None, "excess_high": None},
                "About 12 more than normal",
            ),
        ],
    )
    def test_how_bad_it_is(self, facts: dict[str, Any], line: str) -> None:
        family = "volume_low" if facts["excess"] < 0 else "decline"
        assert line in self.lines(open_incident(family=family, **facts))

    def test_what_is_unknown_is_left_out(self) -> None:
        nothing: dict[str, Any] = dict.fromkeys(
            ("expected", "lower", "upper", "excess", "excess_low", "excess_high")
        )
        incident = open_incident(contributions=[], owner="", **nothing)
        assert self.lines(incident) == ["Since 12:00 UTC"]

    def test_who_has_it_is_said(self) -> None:
        incident = open_incident()
        acknowledge(incident_id=incident.pk, actor="Ana (U1)", via="slack", now=at(2))
        assert "Acknowledged by Ana (U1)" in self.lines(incident)

    def test_whose_it_is_is_said(self) -> None:
        incident = open_incident()
        Incident.objects.update(assigned_to="bo")
        assert self.lines(incident)[-1] == "Assigned to: bo"
        assert self.lines(incident, language="pt-br")[-1] == "Atribuído a: bo"

    def test_the_end_says_how_long_it_took_and_who_ended_it(self) -> None:
        live(9, bad={0, 1, 2})
        assert self.lines(Incident.objects.get(), "resolved") == [
            "Lasted 3 min (12:00 to 12:03 UTC)",
            "About 36 more than normal in all (28 to 44)",
            "Back to normal by itself",
        ]

    def test_an_edited_message_says_how_grave_it_is_and_who_has_it(self) -> None:
        incident = open_incident()

        def banner(language: str = "en") -> str:
            incident.refresh_from_db()
            return brief_of(incident, kind="updated", language=language, now=at(3)).banner

        assert banner() == "CRITICAL"
        acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        assert banner() == "CRITICAL, acknowledged by ana"
        assert banner("pt-br") == "CRÍTICO, assumido por ana"
        mitigate(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        assert banner() == "CRITICAL, mitigated"
        resolve(incident_id=incident.pk, actor="ana", via="web", now=at(3))
        assert banner() == "Resolved"
        Incident.objects.update(state="merged")
        assert banner() == "Merged"

    def test_what_was_merged_goes_on_as_part_of_the_other(self) -> None:
        whole = open_incident()
        part = open_incident(source=make_source("other"), level="WARNING")
        by: Any = {"actor": "ana", "via": "web"}
        merge(incident_id=part.pk, into_id=whole.pk, now=at(1), **by)
        part.refresh_from_db()
        brief = brief_of(part, kind="updated", language="en", now=at(6))
        assert (brief.banner, brief.ongoing, brief.over) == (f"Part of #{whole.pk}", False, False)
        assert brief.lines[0] == "Since 12:00 UTC"
        assert slack.payload(brief)["text"].startswith("🟡")
        again = brief_of(part, kind="reopened", language="pt-br", now=at(6))
        assert (again.banner, again.lines[0]) == ("Voltou", f"Parte de #{whole.pk}")
        resolve(incident_id=whole.pk, now=at(7), **by)
        part.refresh_from_db()
        assert self.lines(part, "resolved")[-1] == "Resolved by ana"

    def test_the_end_by_hand(self) -> None:
        incident = open_incident()
        resolve(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        assert self.lines(incident, "resolved")[-1] == "Resolved by ana"

    def test_parts_are_named(self) -> None:
        root = open_incident(family="technical_failure")
        open_incident(family="reversal")
        assert "Includes: Reversals above normal at default" in self.lines(root)

    def test_each_layout_holds_the_link_and_the_first_action(self) -> None:
        brief = brief_of(open_incident(), kind="opened", language="en", now=at(1))
        for text in (
            console.render(brief),
            str(slack.payload(brief)),
            telegram.render(brief),
        ):
            assert brief.url in text
            assert "Call the issuer." in text

    def test_slack_shows_the_headline_once_above_what_is_known(self) -> None:
        brief = brief_of(open_incident(), kind="opened", language="en", now=at(1))
        body = slack.payload(brief)
        assert body["text"] == "🔴 *CRITICAL: Denials above normal at default*"
        assert brief.headline not in str(body["attachments"][0]["blocks"])

    def test_a_very_long_message_keeps_its_link_and_valid_markup(self) -> None:
        incident = open_incident(owner="<" * 40)
        incident.title = "&" * 200
        brief = brief_of(incident, kind="opened", language="en", now=at(1))
        long = brief.__class__(**{**brief.__dict__, "lines": ["<" * 900] * 9})
        text = telegram.render(long)
        assert len(text) <= 4096
        assert text.endswith("</a>")
        assert all(
            len(block["text"]["text"]) <= 3000
            for block in slack.blocks(long, buttons=False)
            if block["type"] == "section"
        )
