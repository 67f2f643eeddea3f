"""An ECS service behind a target group of one's own."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import wait_until
from tests.sandbox.balancing.lab import forward, path


@pytest.fixture
def service(account):
    """Creates one service in cluster staging, which is deleted at the end."""
    created = []

    def create(name, group, version="1.4.0"):
        known = account.service()
        account.ecs.create_service(
            cluster="staging",
            serviceName=name,
            taskDefinition=account.register(version),
            desiredCount=1,
            networkConfiguration=known["networkConfiguration"],
            loadBalancers=[
                {"targetGroupArn": group, "containerName": "news-api", "containerPort": 8000}
            ],
        )
        created.append(name)

    yield create
    for name in created:
        account.ecs.delete_service(cluster="staging", service=name, force=True)
        wait_until(lambda n=name: account.service("staging", n)["status"] == "INACTIVE")


def test_a_service_registers_its_tasks_in_a_group_of_ones_own(account, lab, service):
    group = lab.group("a", HealthCheckPath="/healthz", HealthCheckPort="8000")
    listener = lab.listen()
    with pytest.raises(ClientError) as unassociated:
        service(f"{lab.name}-too-early", group)
    lab.rule(listener, 1, path("/v1/*"), forward(group))

    service(lab.name, group)
    lab.healthy(group)
    target = lab.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    status, _, body = lab.ask("/v1/articles")

    assert "does not have an associated load balancer" in str(unassociated.value)
    assert target["Target"]["Port"] == 8000
    assert target["Target"]["Id"].startswith("10.20.")
    assert (status, json.loads(body)["version"]) == (200, "1.4.0")
    assert lab.ask("/v2")[0] == 404


def test_a_rolling_release_behind_a_group_of_ones_own_loses_no_request(account, lab, service):
    group = lab.group("a", HealthCheckPath="/healthz")
    lab.listen(actions=forward(group))
    service(lab.name, group)
    wait_until(lambda: account.steady("staging", lab.name))
    port, stop, answers = lab.port(), threading.Event(), []

    def read():
        while not stop.is_set():
            status, _, body = account.get(port=port)
            answers.append(json.loads(body)["version"] if status == 200 else status)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: answers)
    definition = account.register("1.4.1")
    account.ecs.update_service(cluster="staging", service=lab.name, taskDefinition=definition)
    wait_until(lambda: answers[-1] == "1.4.1")
    wait_until(lambda: account.steady("staging", lab.name))
    stop.set()
    reader.join()

    assert set(answers) == {"1.4.0", "1.4.1"}
