"""The chart is rendered and every object of it held against the schemas, offline."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import missing
from guardian_site.tests.documented import (
    documented,
    read_from_the_environment,
    set_by_the_image,
)

CHART = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes" / "guardian"
# Objects of operators, whose schemas are not Kubernetes' own.
FOREIGN = {"ScaledObject", "PodMonitor", "PrometheusRule"}
VARIANTS: dict[str, dict[str, Any]] = {
    "as delivered": {},
    "with KEDA and the Prometheus operator": {
        "worker": {"autoscaling": {"keda": True}},
        "monitoring": {"enabled": True},
        "optionalSecrets": ["slack_webhook_url"],
    },
    "with further settings": {
        "extraSettings": {"GUARDIAN_PUBLIC_METRICS": "off", "GUARDIAN_KEEP_COUNTS_DAYS": "400"},
        "optionalSecrets": ["guardian_oidc_client_secret", "guardian_old_secret_keys"],
    },
    "with a stream": {
        "stream": {"enabled": True, "replicas": 2},
        "monitoring": {"enabled": True},
        "optionalSecrets": ["guardian_stream_url"],
        "extraSettings": {"GUARDIAN_STREAM_NAME": "payments"},
    },
    "pinned by digest, no ingress": {
        "image": {"digest": "sha256:" + "a" * 64},
        "ingress": {"enabled": False},
    },
}


def _helm() -> Any:
    try:
        from helm_python import chart
    except ImportError:
        missing("helm-python-sdk", "pip install -r requirements-dev.txt")
    return chart


def rendered(variant: str = "as delivered") -> list[dict[str, Any]]:
    return with_values(VARIANTS[variant])


def with_values(values: dict[str, Any]) -> list[dict[str, Any]]:
    found = _helm().Chart.load(CHART).render(values, name="guardian", namespace="pay")
    objects = [one for text in found.values() for one in yaml.safe_load_all(text) if one]
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"]))


def of_kind(kind: str, variant: str = "as delivered") -> list[dict[str, Any]]:
    return [one for one in rendered(variant) if one["kind"] == kind]


def _pods(variant: str = "as delivered") -> list[tuple[str, dict[str, Any]]]:
    return [
        (one["metadata"]["name"], one["spec"]["template"]["spec"])
        for one in rendered(variant)
        if one["kind"] in ("Deployment", "Job")
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_helm_has_nothing_to_say(variant: str) -> None:
    report = _helm().lint(CHART, VARIANTS[variant], strict=True, kube_version="v1.31.0")
    assert [found for found in report["messages"] if found["severity"] > 1] == []
    assert report["errors"] in ([], None)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_is_valid(variant: str) -> None:
    try:
        import kubernetes_validate  # type: ignore[import-untyped]
    except ImportError:
        missing("kubernetes-validate", "pip install -r requirements-dev.txt")
    objects = [one for one in rendered(variant) if one["kind"] not in FOREIGN]
    assert len(objects) > 10
    for one in objects:
        kubernetes_validate.validate(one, "1.31", strict=True)


def test_nothing_is_said_twice() -> None:
    for variant in VARIANTS:
        names = [(one["kind"], one["metadata"]["name"]) for one in rendered(variant)]
        assert len(names) == len(set(names))


def test_each_pod_can_do_little_harm() -> None:
    for name, pod in _pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_what_stays_up_is_probed() -> None:
    deployments = {one["metadata"]["name"]: one for one in of_kind("Deployment")}
    # Watch has no door to be asked at: it ends when it cannot go on.
    del deployments["guardian-watch"]
    for deployment in deployments.values():
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            assert {"livenessProbe", "startupProbe"} <= set(container)
    web = dict(_pods())["guardian-web"]["containers"][0]
    assert web["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    # A database that is away is not mended by restarting the web.
    assert web["livenessProbe"]["httpGet"]["path"] == "/health/live"


def test_no_secret_is_in_the_objects_only_its_name() -> None:
    assert of_kind("Secret") == []
    settings = of_kind("ConfigMap", "with KEDA and the Prometheus operator")[0]["data"]
    for name in ("DATABASE_URL", "REDIS_URL", "GUARDIAN_SECRET_KEY", "SLACK_WEBHOOK_URL"):
        assert name not in settings
        assert settings[f"{name}_FILE"].startswith("/run/secrets/guardian/")


SECRET = {
    *("GUARDIAN_JWT_KEYS", "GUARDIAN_OLD_SECRET_KEYS", "GUARDIAN_OIDC_CLIENT_SECRET"),
    *("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "TELEGRAM_BOT_TOKEN"),
    *("GUARDIAN_STREAM_URL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
}
# Given by the image or beside the settings, where they differ from pod to pod.
PLACED = {
    *("GUARDIAN_HOST", "GUARDIAN_PORT", "GUARDIAN_DATA_DIR", "GUARDIAN_METRICS_PORT"),
    *("GUARDIAN_WEB_WORKERS", "GUARDIAN_WEB_THREADS", "PROMETHEUS_MULTIPROC_DIR"),
}


def _environment(objects: list[dict[str, Any]]) -> dict[str, str]:
    return next(one["data"] for one in objects if one["kind"] == "ConfigMap")


def test_every_setting_of_the_readme_reaches_the_pods() -> None:
    wanted = documented() | read_from_the_environment()
    own = _environment(rendered())
    extra = {
        name: f"given-{name}"
        for name in wanted - SECRET - PLACED
        if name not in own and f"{name}_FILE" not in own
    }
    values = {"extraSettings": extra, "optionalSecrets": [name.lower() for name in SECRET]}
    found = _environment(with_values(values))
    assert {name: found[name] for name in extra} == extra
    assert found.items() >= own.items()
    beside = {
        variable["name"]
        for _name, pod in _pods()
        for container in pod["containers"]
        for variable in container.get("env", [])
    }
    reached = set(found) | {name.removesuffix("_FILE") for name in found} | beside
    assert wanted - reached - set_by_the_image() == set()


@pytest.mark.parametrize(
    "value", ["off", "1_000", "0123", "1e3", "12:30", "<<", "=", "", " a", "a: b", "{{ x }}", "#"]
)
def test_a_further_setting_is_what_was_written(value: str) -> None:
    found = _environment(with_values({"extraSettings": {"OTEL_SERVICE_NAME": value}}))
    assert found["OTEL_SERVICE_NAME"] == value


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("GUARDIAN_URL", "place of its own"),
        ("DATABASE_URL", "place of its own"),
        ("GUARDIAN_WEB_THREADS", "place of its own"),
        ("GUARDIAN_DATA_DIR", "place of its own"),
        ("GUARDIAN_OIDC_CLIENT_SECRET", "is secret"),
        ("GUARDIAN_OLD_SECRET_KEYS", "is secret"),
        ("GUARDIAN_STREAM_URL", "is secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "is secret"),
    ],
)
def test_a_further_setting_that_would_not_hold_is_refused(name: str, why: str) -> None:
    from helm_python.errors import HelmError

    with pytest.raises(HelmError, match=f"{name} .*{why}|{name} {why}"):
        with_values({"extraSettings": {name: "x"}})


def _settings_of(objects: list[dict[str, Any]], kind: str = "Deployment") -> dict[str, str]:
    """Return the name of the settings that each object's pods read."""
    return {
        one["metadata"]["name"]: container["envFrom"][0]["configMapRef"]["name"]
        for one in objects
        if one["kind"] == kind
        for container in one["spec"]["template"]["spec"]["containers"]
    }


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {"language": "pt-br"}},
        {"extraSettings": {"GUARDIAN_PUBLIC_METRICS": "off"}},
        {"optionalSecrets": ["slack_webhook_url"]},
    ],
    ids=str,
)
def test_other_settings_make_other_pods(values: dict[str, Any]) -> None:
    before, after = _settings_of(with_values({})), _settings_of(with_values(values))
    assert set(before) == set(after) != set()
    assert not [name for name, mark in before.items() if mark == after[name]]
    scaled = with_values({"web": {"autoscaling": {"maxReplicas": 20}}})
    assert _settings_of(scaled) == before


def test_pods_of_the_release_before_keep_their_settings() -> None:
    # Helm runs no hook when it rolls back, and has run those of an upgrade that then fails.
    objects = with_values({"podAnnotations": {"team": "payments"}})
    found = {one["metadata"]["name"]: one for one in objects if one["kind"] == "ConfigMap"}
    read = set(_settings_of(objects).values())
    for name in read:
        assert found[name]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    [migrating] = _settings_of(objects, "Job").values()
    assert set(found) == {migrating, *read}
    assert [found[name]["data"] for name in read] == [found[migrating]["data"]]


def test_whoever_has_a_stream_has_pods_that_read_it() -> None:
    assert "guardian-stream" not in dict(_pods())
    [container] = dict(_pods("with a stream"))["guardian-stream"]["containers"]
    assert container["args"] == ["consume_stream"]
    read = _environment(rendered("with a stream"))
    assert read["GUARDIAN_STREAM_URL_FILE"] == "/run/secrets/guardian/guardian_stream_url"
    scraped = [one["metadata"]["name"] for one in of_kind("PodMonitor", "with a stream")]
    assert "guardian-stream" in scraped


@pytest.mark.parametrize("replicas", [0, 3])
def test_as_many_read_the_stream_as_are_asked_for(replicas: int) -> None:
    objects = with_values({"stream": {"enabled": True, "replicas": replicas}})
    [found] = [one for one in objects if one["metadata"]["name"] == "guardian-stream"]
    assert found["spec"]["replicas"] == replicas


@pytest.mark.parametrize("part", ["beat", "watch"])
def test_there_is_one_of_it_and_never_two(part: str) -> None:
    found = next(one for one in of_kind("Deployment") if one["metadata"]["name"].endswith(part))
    assert found["spec"]["replicas"] == 1
    assert found["spec"]["strategy"]["type"] == "Recreate"


def test_migrations_run_before_the_rest() -> None:
    job = of_kind("Job")[0]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    weights = [
        int(one["metadata"]["annotations"]["helm.sh/hook-weight"])
        for one in (*of_kind("ConfigMap"), *of_kind("ServiceAccount"))
        if "helm.sh/hook" in one["metadata"]["annotations"]
    ]
    assert len(weights) == 2
    assert max(weights) < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_web_and_workers_survive_the_loss_of_a_node() -> None:
    budgets = {one["metadata"]["name"] for one in of_kind("PodDisruptionBudget")}
    assert budgets == {"guardian-web", "guardian-worker"}
    scaled = {one["metadata"]["name"]: one["spec"] for one in of_kind("HorizontalPodAutoscaler")}
    assert all(spec["minReplicas"] >= 2 for spec in scaled.values())
    assert set(scaled) == budgets


def test_with_keda_workers_follow_the_age_of_what_waits() -> None:
    scaled = of_kind("ScaledObject", "with KEDA and the Prometheus operator")[0]["spec"]
    queries = " ".join(trigger["metadata"]["query"] for trigger in scaled["triggers"])
    for name in ("task_wait_seconds", "part_age_seconds", "oldest_pending_seconds"):
        assert name in queries
    autoscalers = of_kind("HorizontalPodAutoscaler", "with KEDA and the Prometheus operator")
    assert [one["metadata"]["name"] for one in autoscalers] == ["guardian-web"]


def _sources_of(namespaces: list[str]) -> list[Any]:
    objects = with_values({"networkPolicy": {"from": namespaces}})
    policy = next(one for one in objects if one["kind"] == "NetworkPolicy")
    return [rule.get("from") for rule in policy["spec"]["ingress"]]


def test_where_no_namespace_is_named_no_pod_of_another_gets_in() -> None:
    # A rule that says of nobody whence lets everybody in.
    others, own = _sources_of(["monitoring"])
    assert [list(source) for source in (*others, *own)] == [["namespaceSelector"], ["podSelector"]]
    assert _sources_of([]) == [own]


def test_the_operator_shows_a_key_to_the_web_where_one_is_asked_for() -> None:
    key = {"name": "scraper", "key": "read"}
    objects = with_values({"monitoring": {"enabled": True, "keySecret": key}})
    shown = {
        one["metadata"]["name"]: one["spec"]["podMetricsEndpoints"][0].get("authorization")
        for one in objects
        if one["kind"] == "PodMonitor"
    }
    assert shown.pop("guardian-web") == {"credentials": key}
    assert set(shown.values()) == {None}


def test_the_operator_gets_the_rules_that_are_tested() -> None:
    groups = of_kind("PrometheusRule", "with KEDA and the Prometheus operator")[0]["spec"]["groups"]
    folder = CHART.parents[1] / "prometheus" / "rules"
    wanted = [
        group["name"]
        for path in sorted(folder.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    assert sorted(group["name"] for group in groups) == sorted(wanted)
    assert "externalLabels" not in json.dumps(groups)
    assert "https://guardian.example.com/runbooks/GuardianDown" in json.dumps(groups)


@pytest.mark.parametrize(
    "bad",
    [
        {"image": {"tag": "latest"}},
        {"settings": {"requireApiKey": "perhaps"}},
        {"settings": {"rateLimit": "fast"}},
        {"existingSecret": ""},
        {"extraSettings": {"GUARDIAN_PUBLIC_METRICS": False}},
        {"extraSettings": {"publicMetrics": "off"}},
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused(bad: dict[str, Any]) -> None:
    from helm_python.errors import HelmError

    chart = _helm().Chart.load(CHART)
    with pytest.raises(HelmError, match="guardian:"):
        chart.validate_schema(chart.merge_values(bad))
