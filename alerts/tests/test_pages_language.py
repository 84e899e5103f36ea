import ast
import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from alerts.tests.makers import open_incident
from alerts.tests.pages import PAGE

FOLDER = Path(settings.BASE_DIR, "guardian_site", "locale", "pt_BR", "LC_MESSAGES")
# Names, the same in both languages.
NAMES = {"Transaction Guardian", "API", "Cache"}
APPS = ("ingest", "detection", "alerts", "guardian_site")


def catalogue() -> GNUTranslations:
    with (FOLDER / "django.mo").open("rb") as compiled:
        return GNUTranslations(compiled)


def words_of_templates() -> set[str]:
    found: set[str] = set()
    for template in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        text = template.read_text()
        found.update(re.findall(r"""{%\s*translate\s+"([^"]+)"\s""", text))
        found.update(re.findall(r"""{%\s*translate\s+'([^']+)'\s""", text))
        blocks = re.findall(r"{% blocktranslate[^%]*%}(.+?){% (?:plural|endblocktranslate)", text)
        found.update(re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks)
    return found


def test_every_word_of_the_templates_has_its_portuguese() -> None:
    words = words_of_templates()
    assert len(words) > 150
    known = catalogue()
    assert [word for word in words - NAMES if known.gettext(word) == word] == []


def words_of_code() -> set[str]:
    calls = [
        node
        for app in APPS
        for file in Path(settings.BASE_DIR, app).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_"
    ]
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def test_every_word_of_the_code_has_its_portuguese() -> None:
    words = words_of_code()
    assert len(words) > 60
    known = catalogue()
    assert [word for word in words - NAMES if known.gettext(word) == word] == []


def test_the_compiled_catalogue_is_that_of_its_source() -> None:
    source = (FOLDER / "django.po").read_text()
    pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.MULTILINE)
    assert len(pairs) > 150
    known = catalogue()
    for word, translated in pairs:
        assert known.gettext(word) == translated


@pytest.mark.django_db
def test_the_pages_speak_portuguese(client: Client) -> None:
    incident = open_incident()
    with translation.override("pt-br"):
        page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
        cards = client.get("/live.json").json()["incidents"]
    assert '<html lang="pt-br"' in page
    assert "Negadas acima do normal em default" in page
    assert "Linha do tempo" in page
    assert cards[0]["state_label"] == "Aberto"


@pytest.mark.django_db
def test_the_reasons_are_told_in_portuguese(client: Client) -> None:
    incident = open_incident(reasons=["1225 transactions not approved in 12 min, 310 expected."])
    with translation.override("pt-br"):
        page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
        verdicts = client.get("/live.json").json()["verdicts"]
    told = "Transações não aprovadas: 1.225 em 12 min; o esperado era 310."
    assert told in page
    assert verdicts[0]["reason"] == told
    incident.refresh_from_db()
    assert incident.reasons == ["1225 transactions not approved in 12 min, 310 expected."]
