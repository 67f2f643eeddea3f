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
        CLEAN_UP SEV4 MITIGATED IDENTIFIED PROVISIONAL PROMOTING STARTING DEPLOYING""",
    "warning": """DEGRADED STALE SEV3 DRAINING STOP_REQUESTED ROLLBACK_REQUESTED
        ROLLBACK_IN_PROGRESS AWAITING_ACTION WAITING WAITING_FOR_APPROVAL INVESTIGATING REFUSED
        WARN WARNING REJECTED EXPIRED ROLLING_BACK INCONCLUSIVE TRIGGERED""",
    "danger": """FAILED UNHEALTHY ALARM ROLLBACK_SUCCESSFUL ROLLBACK_FAILED ROLLED_BACK SEV1 SEV2
        DOWN FAIL PARKED DENIED BROKEN CRITICAL ERROR""",
    "neutral": """INACTIVE STOPPED STOPPING DEPROVISIONING DEACTIVATING DELETED CANCELLED SEV5
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
    if _SHOUTED.fullmatch(word):
        return word.replace("_", " ").lower()
    return word
