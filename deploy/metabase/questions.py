"""The ready questions: each a name, how it is drawn, and SQL over the views of `reporting`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QuestionCard:
    """One question of Metabase; `display` is its word for the kind of chart."""

    name: str
    display: str
    sql: str


CARDS = (
    QuestionCard(
        "Transactions and approval rate by day",
        "line",
        # Whole days alone, each source's by its own clock, as Grafana has them.
        """
        SELECT (time AT TIME ZONE time_zone)::date AS day, sum(transactions) AS transactions,
               round(100.0 * sum(transactions) FILTER (WHERE status = 'approved')
                     / nullif(sum(transactions), 0), 2) AS approved_percent
        FROM reporting.minutes
        WHERE time > now() - interval '92 days'
          AND (time AT TIME ZONE time_zone)::date >= (now() AT TIME ZONE time_zone)::date - 90
          AND (time AT TIME ZONE time_zone)::date < (now() AT TIME ZONE time_zone)::date
        GROUP BY 1 ORDER BY 1
        """,
    ),
    QuestionCard(
        "Transactions by source and status, last 30 days",
        "table",
        """
        SELECT source, status, sum(transactions) AS transactions
        FROM reporting.minutes WHERE time > now() - interval '30 days'
        GROUP BY 1, 2 ORDER BY 3 DESC
        """,
    ),
    QuestionCard(
        "Denials by auth code, last 30 days",
        "bar",
        """
        SELECT auth_code, sum(transactions) AS denials
        FROM reporting.minutes WHERE status = 'denied' AND time > now() - interval '30 days'
        GROUP BY 1 ORDER BY 2 DESC LIMIT 15
        """,
    ),
    QuestionCard(
        "Incidents by week and family",
        "bar",
        """
        SELECT date_trunc('week', onset) AS week, family, count(*) AS incidents
        FROM reporting.incidents WHERE counts AND onset > now() - interval '1 year'
        GROUP BY 1, 2 ORDER BY 1
        """,
    ),
    QuestionCard(
        "Mean times by family, last 90 days",
        "table",
        """
        SELECT family, count(*) AS incidents,
               round(avg(extract(epoch FROM detected - onset)) / 60, 1) AS minutes_to_detect,
               round(avg(extract(epoch FROM acknowledged - opened)) / 60, 1)
                 AS minutes_to_acknowledge,
               round(avg(extract(epoch FROM ended - onset)) / 60, 1) AS minutes_to_repair
        FROM reporting.incidents WHERE counts AND onset > now() - interval '90 days'
        GROUP BY 1 ORDER BY 2 DESC
        """,
    ),
    QuestionCard(
        "The costliest incidents",
        "table",
        """
        SELECT id, onset, source, family, level, round(abs(excess)) AS transactions_out_of_place,
               round(extract(epoch FROM coalesce(ended, now()) - onset) / 60) AS minutes
        FROM reporting.incidents WHERE counts ORDER BY abs(excess) DESC NULLS LAST LIMIT 50
        """,
    ),
    QuestionCard(
        "Who acknowledges, and how soon",
        "table",
        """
        SELECT acknowledged_by AS who, count(*) AS incidents,
               round(avg(extract(epoch FROM acknowledged - opened)) / 60, 1) AS minutes
        FROM reporting.incidents
        WHERE acknowledged IS NOT NULL AND NOT historical GROUP BY 1 ORDER BY 2 DESC
        """,
    ),
    QuestionCard(
        "Messages by channel and outcome, last 30 days",
        "table",
        """
        SELECT channel, state, count(*) AS messages, round(avg(seconds), 1) AS mean_seconds
        FROM reporting.messages WHERE created > now() - interval '30 days'
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
    ),
)
