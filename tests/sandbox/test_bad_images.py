"""Images that never come to serve are rolled back, with the reason."""

from __future__ import annotations

import pytest

from tests.sandbox.account import FAST, Account

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}


@pytest.fixture(scope="module")
def impatient_account(tmp_path_factory):
    """A sandbox in which a revision that is not healthy soon is rolled back."""
    home = tmp_path_factory.mktemp("impatient") / "home"
    account = Account(home, environment=FAST | {"SANDBOX_SCALE_UP_SECONDS": "5"}).ready()
    yield account
    account.stop()


def test_an_image_that_is_never_healthy_is_rolled_back_with_the_reason(impatient_account):
    account, before = impatient_account, impatient_account.version()

    arn = account.release("1.4.4-unhealthy", **BLUE_GREEN)
    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert "SCALE_UP lifecycle stage timed out" in done["statusReason"]
    assert "health checks" in done["rollback"]["reason"]
    assert done["targetServiceRevision"]["requestedProductionTrafficWeight"] == 0.0
    assert account.version() == before


def test_an_image_that_does_not_exist_fails_tasks_with_cannot_pull(impatient_account):
    account = impatient_account
    arn = account.release("9.9.9", **BLUE_GREEN)

    done = account.finished(arn)

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert "CannotPullContainerError" in done["rollback"]["reason"]
    stopped = account.ecs.list_tasks(cluster="production", desiredStatus="STOPPED")["taskArns"]
    tasks = account.ecs.describe_tasks(cluster="production", tasks=stopped[:100])["tasks"]
    codes = {task["stopCode"] for task in tasks if "CannotPull" in task["stoppedReason"]}
    assert codes == {"TaskFailedToStart"}
