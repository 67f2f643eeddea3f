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
            "Where maximumPercent leaves no room for a replacement, unhealthy tasks are stopped "
            "one at a time whatever minimumHealthyPercent says, for else they would stay for ever; "
            "of equally unhealthy tasks the oldest goes.",
        ),
        Note(
            OUR_READING,
            "After a failure that may not roll back (circuit breaker or alarms without rollback) "
            "the deployment is STOPPED, and tasks and traffic stay as they are.",
        ),
        Note(
            OUR_READING,
            "A circuit breaker without an earlier completed deployment stalls a rolling "
            "deployment: IN_PROGRESS, rolloutState FAILED, no further tasks, until it is stopped "
            "or superseded.",
        ),
        Note(
            OUR_READING,
            "The circuit breaker also works while a green revision scales up: AWS documents it for "
            "rolling deployments only, but was seen to use it for the others.",
        ),
        Note(
            OUR_READING,
            "The reasons of rollbacks that nobody has written down (a stop, a newer deployment, a "
            "rejected pause, a stage that took too long) are worded like the documented ones; "
            "rollback.reason adds the alarms or the task's failure.",
        ),
        Note(
            OUR_READING,
            "Listener rules are checked before PRE_SCALE_UP, and a rollback before "
            "TEST_TRAFFIC_SHIFT leaves them as they are.",
        ),
        Note(
            OUR_READING,
            "Between deployments no revision is told to get test traffic; the test listener's rule "
            "stays with the target group that is in production.",
        ),
        Note(
            SIMPLIFIED,
            "A deployment that rolls back keeps the stage it left; AWS runs the stages of the "
            "traffic shifts again.",
        ),
        Note(SIMPLIFIED, "Nothing is sent to EventBridge; service events tell the same."),
        Note(
            OUR_READING,
            "PAUSE hooks of a ROLLING deployment are taken at PRE_SCALE_UP and POST_SCALE_UP; the "
            "deployment still reports no stage.",
        ),
        Note(
            OUR_READING,
            "A canary bakes first and pauses before the last step afterwards.",
        ),
    )
