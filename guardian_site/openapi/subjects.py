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
        "description": "Keep it quiet for a while: incidents are still opened, nobody is called.",
    },
    {
        "name": "Stream",
        "description": "Follow what happens, as it happens, over one open line.",
    },
    {
        "name": "Reports",
        "description": "Read mean times, the hand-over to the next shift, and who is on call.",
    },
    {
        "name": "Backtests",
        "description": "Judge stored history once more under other policies.",
    },
    {
        "name": "Sign-in",
        "description": "Exchange a name and a password for tokens, renew them, sign out.",
    },
    {
        "name": "API keys",
        "description": "Make, list, replace and revoke the keys of programs.",
    },
    {
        "name": "OAuth2 clients",
        "description": "Exchange an API key for short-lived tokens, as the standards for machines "
        "have it.",
    },
    {
        "name": "Operation",
        "description": "Ask how Guardian itself fares, scrape it, and reset what it learned.",
    },
    {
        "name": "Webhooks",
        "description": "Take in what Alertmanager and Slack send.",
    },
]
