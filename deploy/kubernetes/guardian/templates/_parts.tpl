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

{{/* What every pod of Guardian is: who it runs as, its settings, its secrets as files. */}}
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
  - configMapRef: {name: {{ include "guardian.name" .root }}-settings}
{{- end -}}
