{{- define "guardian.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end -}}

{{- define "guardian.labels" -}}
app.kubernetes.io/name: guardian
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "guardian.selector" -}}
app.kubernetes.io/name: guardian
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "guardian.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag }}{{ end }}
{{- end -}}

{{- define "guardian.ownSettings" -}}
DATABASE_URL_FILE: /run/secrets/guardian/database_url
REDIS_URL_FILE: /run/secrets/guardian/redis_url
GUARDIAN_SECRET_KEY_FILE: /run/secrets/guardian/secret_key
GUARDIAN_WEBHOOK_TOKEN_FILE: /run/secrets/guardian/webhook_token
{{- range .Values.optionalSecrets }}
{{ upper . }}_FILE: /run/secrets/guardian/{{ . }}
{{- end }}
{{- with .Values.settings }}
SLACK_CHANNEL: {{ .slackChannel | quote }}
GUARDIAN_HEARTBEAT_URL: {{ .heartbeatUrl | quote }}
GUARDIAN_URL: {{ .url | quote }}
GUARDIAN_ALLOWED_HOSTS: {{ .allowedHosts | quote }}
GUARDIAN_TRUSTED_ORIGINS: {{ .trustedOrigins | quote }}
GUARDIAN_TRUSTED_PROXIES: {{ .trustedProxies | quote }}
GUARDIAN_HTTPS: {{ .https | quote }}
GUARDIAN_REQUIRE_API_KEY: {{ .requireApiKey | quote }}
GUARDIAN_RATE_LIMIT: {{ .rateLimit | quote }}
GUARDIAN_TIME_ZONE: {{ .timeZone | quote }}
GUARDIAN_LANGUAGE: {{ .language | quote }}
GUARDIAN_LOG_LEVEL: {{ .logLevel | quote }}
GUARDIAN_LOG_FORMAT: {{ .logFormat | quote }}
GUARDIAN_METRICS_SOURCES: {{ .metricsSources | quote }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .tracesEndpoint | quote }}
{{- end }}
{{- end -}}

{{/* The settings of every pod: those that the chart sets, and extraSettings. */}}
{{- define "guardian.settings" -}}
{{- $own := include "guardian.ownSettings" . | fromYaml }}
{{- $pods := list "GUARDIAN_HOST" "GUARDIAN_PORT" "GUARDIAN_DATA_DIR" "GUARDIAN_METRICS_PORT" "GUARDIAN_WEB_WORKERS" "GUARDIAN_WEB_THREADS" "GUARDIAN_WORKER_CONCURRENCY" "PROMETHEUS_MULTIPROC_DIR" }}
{{- range $name, $value := .Values.extraSettings }}
{{- if or (hasKey $own $name) (hasKey $own (printf "%s_FILE" $name)) (has $name $pods) }}
{{- fail (printf "extraSettings: %s has a place of its own in this chart, see values.yaml." $name) }}
{{- end }}
{{- if regexMatch "(TOKEN|SECRET|PASSWORD|_KEYS?|DATABASE_URL|WEBHOOK_URL|STREAM_URL|_HEADERS)$" $name }}
{{- fail (printf "extraSettings: %s is secret. Put it into the Secret and its key into optionalSecrets." $name) }}
{{- end }}
{{- end }}
{{- $lines := list }}
{{- range $name, $value := merge (dict) $own .Values.extraSettings }}
{{- $lines = append $lines (printf "%s: %s" $name (toJson $value)) }}
{{- end }}
{{- join "\n" $lines }}
{{- end -}}

{{/* Settings are read at the start, so changed ones get a new name, which restarts the pods. */}}
{{- define "guardian.settingsName" -}}
{{ include "guardian.name" . }}-settings-{{ include "guardian.settings" . | sha256sum | trunc 10 }}
{{- end -}}

{{/* What all pods of Guardian share: user, settings, and secrets as files. */}}
{{- define "guardian.podBase" -}}
serviceAccountName: {{ include "guardian.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: state
    emptyDir: {medium: Memory, sizeLimit: 256Mi}
  - name: temporary
    emptyDir: {sizeLimit: 64Mi}
  - name: secrets
    secret:
      secretName: {{ .root.Values.existingSecret }}
      defaultMode: 0440
{{- end -}}

{{- define "guardian.containerBase" -}}
image: {{ include "guardian.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: state, mountPath: /run/guardian}
  - {name: temporary, mountPath: /tmp}
  - {name: secrets, mountPath: /run/secrets/guardian, readOnly: true}
envFrom:
  - configMapRef: {name: {{ if eq .part "migrate" }}{{ include "guardian.name" .root }}-migrate-settings{{ else }}{{ include "guardian.settingsName" .root }}{{ end }}}
{{- end -}}
