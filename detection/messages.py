"""Who probably owns a deviation and what to do first, in the words of a payments team."""

# A code tells more about the owner than the family does (ISO 8583 response codes).
OWNER_OF_CODE = {
    "04": "fraud control",
    "05": "issuer",
    "07": "fraud control",
    "14": "customer",
    "34": "fraud control",
    "41": "fraud control",
    "43": "fraud control",
    "51": "customer",
    "54": "customer",
    "57": "issuer",
    "59": "fraud control",
    "61": "customer",
    "62": "issuer",
    "63": "fraud control",
    "65": "customer",
    "68": "network",
    "91": "issuer",
    "92": "network",
    "96": "network",
}
OWNER_OF_FAMILY = {
    "decline": "issuer",
    "technical_failure": "us",
    "reversal": "us",
    "volume_low": "traffic",
    "volume_high": "traffic",
    "silence": "us",
    "code_mix": "fraud control",
}
ACTION_OF_CODE = {
    "05": "Compare the denials by issuer: if it is one, call it; if all, our request has changed.",
    "14": "Look for card testing: many cards, one merchant or IP. Block it, tell fraud control.",
    "51": "No funds: think of the last payday first, then look for retries of the same cards.",
    "54": "Expired cards: see whether stored cards were updated and which recurring batch ran.",
    "59": "Suspected fraud: ask fraud control what rule changed; see the merchants denied most.",
    "63": "Security violation: ask fraud control what rule changed; check CVV and 3-D Secure.",
    "68": "Late responses: check the latency to the network; route around it if it lasts.",
    "91": "Issuer or switch down: check the issuer's status; route around it if it lasts.",
    "92": "No route to the issuer: check the network link and the routing tables.",
    "96": "System malfunction: check the acquirer link and our last deployment.",
}
ACTION_OF_FAMILY = {
    "decline": "See which codes and issuers deny more than usual, and whether fraud rules changed.",
    "technical_failure": "Check errors and timeouts of gateway, processor and the last release.",
    "reversal": "See who reverses: a client timing out after approval, or a merchant.",
    "volume_low": "Check the link to the acquirer and the checkout; ask the biggest merchants.",
    "volume_high": "Ask whether a campaign runs; if not, look for retries or card testing.",
    "silence": "Nothing arrives: check that the source runs and can reach us.",
    "code_mix": "The mix of denial codes changed: ask fraud control what rule was switched.",
}
NORMAL = "Within what is expected. Nothing to do."
LEARNING = "Still learning what is normal here: {seen} of {needed} minutes seen."
WATCH = "Watch it for a few minutes. "
UNWATCHED = "Recorded. This source is not watched."
NOT_THERE = "Not judged: this source has not reported for more than a day, or never."


def owner_of(family: str, auth_code: str) -> str:
    """The probable owner: customer, fraud control, issuer, network, us or traffic."""
    if family in ("decline", "code_mix") and auth_code in OWNER_OF_CODE:
        return OWNER_OF_CODE[auth_code]
    return OWNER_OF_FAMILY[family]


def first_action(family: str, level: int, auth_code: str) -> str:
    """What to do first; for a warning, to wait and see comes before it."""
    action = ACTION_OF_FAMILY[family]
    if family == "decline" and auth_code in ACTION_OF_CODE:
        action = ACTION_OF_CODE[auth_code]
    return action if level > 1 else WATCH + action
