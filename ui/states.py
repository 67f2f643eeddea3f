"""The tone and the icon of each word that names a state.

The word alone suffices, and so does the icon for who cannot tell colours apart. ECS's words are
kept; an unknown word is neutral, never healthy.
"""

from __future__ import annotations

import re

TONES = ("ok", "info", "warning", "danger", "neutral")

_WORDS = {
    "ok": """ACTIVE RUNNING SUCCESSFUL SUCCEEDED HEALTHY OK COMPLETED DONE PROMOTED RESOLVED CLOSED
        APPROVED PASS PASSED INTACT CONTINUE READY""",
    "info": """PENDING PROVISIONING ACTIVATING IN_PROGRESS REQUESTED OPEN INITIAL PRIMARY MONITORING
        RECONCILE_SERVICE PRE_SCALE_UP SCALE_UP POST_SCALE_UP TEST_TRAFFIC_SHIFT
        POST_TEST_TRAFFIC_SHIFT PRODUCTION_TRAFFIC_SHIFT POST_PRODUCTION_TRAFFIC_SHIFT BAKE_TIME
        CLEAN_UP SEV4 MITIGATED IDENTIFIED PROVISIONAL PROMOTING STARTING DEPLOYING
        PREPARING PREFLIGHT_RUNNING READY_TO_START QUEUED QUEUED_IN_ECS SCALING SCALING_UP TESTING
        TAKING_TEST_TRAFFIC SHIFTING SHIFTING_TRAFFIC BAKING FINISHING CLEANING_UP ROLLING""",
    "warning": """DEGRADED STALE SEV3 DRAINING STOP_REQUESTED ROLLBACK_REQUESTED
        ROLLBACK_IN_PROGRESS AWAITING_ACTION WAITING WAITING_FOR_APPROVAL INVESTIGATING REFUSED
        WARN WARNING REJECTED EXPIRED ROLLING_BACK INCONCLUSIVE TRIGGERED
        NEEDS_DECISION WAITING_FOR_A_DECISION OVERTAKEN_BY_A_ROLLBACK""",
    "danger": """FAILED UNHEALTHY ALARM ROLLBACK_SUCCESSFUL ROLLED_BACK SEV1 SEV2
        DOWN FAIL PARKED DENIED BROKEN CRITICAL ERROR
        ROLLBACK_FAILED COULD_NOT_BE_STARTED REFUSED_BY_AWS ALTERED""",
    "neutral": """INACTIVE STOPPED STOPPING DEPROVISIONING DEACTIVATING DELETED CANCELLED CANCELED
        SEV5
        NO_DATA UNKNOWN INSUFFICIENT_DATA UNUSED IDLE DISABLED GONE SUPERSEDED SKIPPED""",
}
_TONE_OF = {word: tone for tone, words in _WORDS.items() for word in words.split()}
ICONS = {
    "ok": "check",
    "info": "progress",
    "warning": "warning",
    "danger": "alarm",
    "neutral": "dash",
}
_SHOUTED = re.compile(r"[A-Z][A-Z_]{2,}")


def tone(word: str) -> str:
    """Return `ok`, `info`, `warning`, `danger` or `neutral`."""
    return _TONE_OF.get(word.strip().upper().replace(" ", "_").replace("-", "_"), "neutral")


def spoken(word: str) -> str:
    """Return AWS's `ROLLBACK_IN_PROGRESS` as `rollback in progress`; other words as they are."""
    if word == "BLUE_GREEN":
        return "blue/green"
    if _SHOUTED.fullmatch(word):
        return word.replace("_", " ").lower()
    return word
