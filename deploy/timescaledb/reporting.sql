-- What dashboards read: names that stay the same while tables change, and no secrets.
-- Plain PostgreSQL; on TimescaleDB the same views read hypertables.
CREATE SCHEMA reporting;

CREATE VIEW reporting.installation AS
SELECT {url}::text AS url, {version}::text AS version, now() AS installed;

CREATE VIEW reporting.sources AS
SELECT id, name, time_zone, enabled, created
FROM ingest_source
WHERE name <> {canary};

CREATE VIEW reporting.minutes AS
SELECT counted.minute AS time, source.name AS source, source.time_zone, counted.status,
       counted.auth_code, counted.count AS transactions
FROM ingest_minutecount AS counted
JOIN reporting.sources AS source ON source.id = counted.source_id;

CREATE VIEW reporting.judged AS
SELECT band.minute AS time, source.name AS source, band.level, band.score, band.learning,
       band.total AS seen, band.expected, band.lower, band.upper
FROM detection_band AS band
JOIN reporting.sources AS source ON source.id = band.source_id;

CREATE VIEW reporting.anomalies AS
SELECT anomaly.minute AS time, source.name AS source, anomaly.family, anomaly.level,
       anomaly.score, anomaly.status, anomaly.auth_code, anomaly.count AS seen,
       anomaly.expected, anomaly.past, anomaly.detected
FROM detection_anomaly AS anomaly
JOIN reporting.sources AS source ON source.id = anomaly.source_id
WHERE anomaly.withdrawn IS NULL AND NOT anomaly.provisional;

-- A failure ends with its last bad minute, or when somebody ended it if that was earlier; one that
-- another system reported ends when it was resolved.
CREATE VIEW reporting.incidents AS
SELECT incident.id, source.name AS source, incident.family, incident.level, incident.state,
       incident.label, incident.historical, incident.onset, incident.detected, incident.opened,
       incident.announced, incident.acknowledged, incident.acknowledged_by, incident.resolved,
       CASE
         WHEN incident.resolved IS NULL THEN NULL
         WHEN incident.historical THEN incident.last_anomaly + interval '1 minute'
         WHEN incident.key <> '' THEN incident.resolved
         ELSE least(incident.resolved, incident.last_anomaly + interval '1 minute')
       END AS ended,
       incident.status, incident.auth_code, incident.excess, incident.anomaly_count,
       incident.parent_id IS NOT NULL AS part,
       incident.label IN ('', 'real', 'new_level')
         AND incident.parent_id IS NULL
         AND incident.family NOT IN ('external', 'watch') AS counts
FROM alerts_incident AS incident
JOIN ingest_source AS source ON source.id = incident.source_id
WHERE source.name <> {canary};

CREATE VIEW reporting.messages AS
SELECT message.id, message.incident_id, channel.kind AS channel, message.kind, message.level,
       message.state, message.attempts, message.created, message.due, message.sent,
       extract(epoch FROM message.sent - greatest(message.created, message.due)) AS seconds
FROM alerts_notification AS message
JOIN alerts_channel AS channel ON channel.id = message.channel_id
WHERE message.kind NOT IN ('test', 'canary');

CREATE VIEW reporting.forests AS
SELECT id, trained, state, promoted, window_start, window_end, note
FROM detection_forestversion;
