"""The subjects of the API, in the order in which /docs and /redoc tell of them."""

SUBJECTS = [
    {
        "name": "Transactions",
        "description": "Send counts of transactions, alone or together, and read a verdict at "
        "once.",
    },
    {
        "name": "Anomalies",
        "description": "Read what was found, what is expected to come, and the totals.",
    },
    {
        "name": "Incidents",
        "description": "Read incidents with their timelines, and act on them.",
    },
    {
        "name": "Silences",
        "description": "Mute notifications for a while; incidents are still opened and listed.",
    },
    {
        "name": "Stream",
        "description": "Follow what happens, as it happens, over one open connection.",
    },
    {
        "name": "Reports",
        "description": "Read mean times, the handover to the next shift, and who is on call.",
    },
    {
        "name": "Backtests",
        "description": "Judge stored history again under other policies.",
    },
    {
        "name": "Sign-in",
        "description": "Exchange a name and a password for tokens, renew them, sign out.",
    },
    {
        "name": "API keys",
        "description": "Create, list, replace and revoke the keys of programs.",
    },
    {
        "name": "OAuth2 clients",
        "description": "Exchange an API key for short-lived tokens, as the standards for machines "
        "have it.",
    },
    {
        "name": "Operation",
        "description": "Check the health of Guardian, scrape metrics, and reset what it learned.",
    },
    {
        "name": "Webhooks",
        "description": "Receive what Alertmanager and Slack send.",
    },
]
