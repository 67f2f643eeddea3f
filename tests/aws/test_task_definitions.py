from __future__ import annotations

from aws.ecs import task_definitions
from tests.aws.stubs import stubbed

ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/news-api:1"
CONTAINERS = [
    {"name": "sidecar", "image": "sidecar:1", "essential": False},
    {"name": "news-api", "image": "news-api:1.4.0", "essential": True},
]
DESCRIBED = {
    "taskDefinitionArn": ARN,
    "family": "news-api",
    "revision": 1,
    "status": "ACTIVE",
    "cpu": "512",
    "memory": "1024",
    "networkMode": "awsvpc",
    "requiresAttributes": [{"name": "ecs.capability"}],
    "compatibilities": ["FARGATE"],
    "containerDefinitions": CONTAINERS,
}


def described(monkeypatch) -> task_definitions.TaskDefinition:
    with stubbed(monkeypatch, task_definitions, "ecs") as stub:
        stub.add_response(
            "describe_task_definition",
            {"taskDefinition": DESCRIBED, "tags": [{"key": "team", "value": "news"}]},
            {"taskDefinition": ARN, "include": ["TAGS"]},
        )
        return task_definitions.describe(ARN)


def test_the_image_is_that_of_the_first_essential_container(monkeypatch):
    found = described(monkeypatch)

    assert (found.image, found.cpu, found.memory) == ("news-api:1.4.0", 512, 1024)
    assert found.tags == {"team": "news"}


def test_what_aws_adds_by_itself_is_not_sent_back(monkeypatch):
    found = described(monkeypatch)

    assert set(found.content) == {
        "family",
        "cpu",
        "memory",
        "networkMode",
        "containerDefinitions",
    }


def test_another_image_changes_nothing_else(monkeypatch):
    found = described(monkeypatch)

    copy = task_definitions.with_image(found.content, "news-api@sha256:1")

    images = [each["image"] for each in copy["containerDefinitions"]]
    assert images == ["sidecar:1", "news-api@sha256:1"]
    assert found.content["containerDefinitions"][1]["image"] == "news-api:1.4.0"


def test_a_copy_is_registered_with_its_tags(monkeypatch):
    found = described(monkeypatch)
    answer = DESCRIBED | {"taskDefinitionArn": ARN[:-1] + "2", "revision": 2}
    with stubbed(monkeypatch, task_definitions, "ecs") as stub:
        monkeypatch.setattr(task_definitions, "changer", task_definitions.client)
        stub.add_response(
            "register_task_definition",
            {"taskDefinition": answer},
            {**found.content, "tags": [{"key": "portal:release", "value": "42"}]},
        )

        made = task_definitions.register(found.content, tags={"portal:release": "42"})

    assert made.revision == 2
    assert made.tags == {"portal:release": "42"}
