"""All of ECS's operations. Methods are named like operations and take botocore's parameters."""

from __future__ import annotations

from sandbox.ecs.clusters import Clusters
from sandbox.ecs.not_served import NotServed
from sandbox.ecs.run_task import OneOffTasks
from sandbox.ecs.service_deployments import ServiceDeployments
from sandbox.ecs.services import Services
from sandbox.ecs.tags import Tags
from sandbox.ecs.task_definitions import TaskDefinitions
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note


class Ecs(Clusters, TaskDefinitions, Services, OneOffTasks, ServiceDeployments, Tags, NotServed):
    """All operations of ECS this sandbox answers; the gateway looks them up by name."""

    NOTES = (
        Note(SIMPLIFIED, "Lambda hooks are refused: nothing would run them."),
        Note(
            SIMPLIFIED,
            "A sandbox vCPU is a share of a core of this machine (SANDBOX_VCPU_FACTOR); work on "
            "requests is charged and throttled by it, starting a task is not.",
        ),
        Note(
            SIMPLIFIED,
            "A green revision that is not healthy within SANDBOX_SCALE_UP_SECONDS is rolled back; "
            "on AWS the stage may take a day.",
        ),
        Note(
            SIMPLIFIED,
            "A container's healthCheck command is not run; its interval, retries and start period "
            "are applied to what the process answers at /healthz.",
        ),
        Note(
            SIMPLIFIED,
            "Starts that fail are throttled up to 30 s instead of 27 minutes, and the health check "
            "grace period is shortened as deployment minutes are.",
        ),
        Note(
            OUR_READING,
            "After a failure that may not roll back (circuit breaker or alarms without rollback) "
            "the deployment is STOPPED, and tasks and traffic stay as they are.",
        ),
        Note(
            OUR_READING,
            "A circuit breaker without an earlier completed deployment stalls: IN_PROGRESS, "
            "rolloutState FAILED, no further tasks, until it is stopped or superseded.",
        ),
        Note(
            OUR_READING,
            "PAUSE hooks of a ROLLING deployment are taken at PRE_SCALE_UP and POST_SCALE_UP; the "
            "deployment still reports no stage.",
        ),
        Note(
            OUR_READING,
            "A canary bakes first and pauses before the last step afterwards; "
            "POST_PRODUCTION_TRAFFIC_SHIFT is invoked once, after the last step.",
        ),
    )
