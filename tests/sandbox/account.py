"""A sandbox process for tests, and short names for what tests do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

import boto3
from botocore.config import Config

from launcher.probes import ReservedPorts

ROOT = Path(__file__).resolve().parents[2]
STUB = f"{sys.executable} {Path(__file__).with_name('stub_app.py')} {{fd}}"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
# The longest there is: no test, however slow, shall see it expire.
PAUSE = {"targetType": "PAUSE", "timeoutConfiguration": {"timeoutInMinutes": 20160}}
FAST = {
    "SANDBOX_SECONDS_PER_MINUTE": "0.5",
    "SANDBOX_HEALTH_INTERVAL": "0.2",
    "SANDBOX_DRAIN_SECONDS": "5",
    "SANDBOX_SCALE_UP_SECONDS": "60",
    "SANDBOX_VISIBILITY_SECONDS": "0.2",
    "SANDBOX_TASK_COMMAND": STUB,
}


# Seconds that nothing here takes, however busy the machine is.
LIMIT = 200
# Kept to the end of the run: a sandbox that is killed and started again has its ports still.
_RESERVED: list[ReservedPorts] = []


def free_ports():
    """A gateway port and two neighbouring load balancer ports that nobody else is given."""
    gateway, balancers = ReservedPorts(), ReservedPorts(run=2)
    _RESERVED.extend([gateway, balancers])
    return gateway.first, balancers.first


def wait_until(reached, seconds=LIMIT):
    """What `reached` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = reached()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} s: {reached}")


class Account:
    """One sandbox with its clients."""

    def __init__(self, home, *, ports=None, traffic=0, environment=FAST):
        self.home = home
        self.port, self.alb_port = ports or free_ports()
        command = [sys.executable, "-m", "sandbox", "serve", f"--home={home}"]
        command += [f"--port={self.port}", f"--alb-port={self.alb_port}", f"--traffic={traffic}"]
        self.output = (Path(home).parent / f"{Path(home).name}.out").open("ab")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self.output,
            stderr=self.output,
        )
        self._clients = {}

    def client(self, service, **config):
        """A boto3 client that does not retry."""
        key = (service, *config.items())
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        return self._clients[key]

    @property
    def ecs(self):
        return self.client("ecs")

    def control(self, method, path, body=None):
        """Call /_sandbox/<path>."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/_sandbox/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            return json.load(response)

    def ready(self):
        """Wait until the fleet of the fresh world is steady."""
        try:
            self._wait_for_the_world()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_for_the_world(self):
        wait_until(self._answers)
        for cluster, name in (
            ("production", "news-api"),
            ("production", "news-ingest"),
            ("staging", "news-api"),
        ):
            wait_until(lambda c=cluster, n=name: self.steady(c, n))

    def _answers(self):
        assert self.process.poll() is None, "the sandbox ended"
        try:
            return self.control("GET", "status")["ready"]
        except OSError:
            return False

    def steady(self, cluster="production", name="news-api"):
        service = self.service(cluster, name)
        first = service["deployments"][0]
        full = service["runningCount"] == service["desiredCount"]
        return len(service["deployments"]) == 1 and full and first["rolloutState"] == "COMPLETED"

    def come_to_rest(self, cluster="production", name="news-api"):
        """Turn back what is in flight and wait until the service is steady.

        A release of this moment is not listed yet, so it takes more than one look. Says what the
        service does instead when it never comes to rest.
        """

        def rests():
            for arn in self.in_flight(cluster, name):
                with suppress(self.ecs.exceptions.ConflictException):  # it is over by now
                    self.stop_deployment(arn)
            return self.steady(cluster, name)

        try:
            wait_until(rests)
        except AssertionError as never:
            service = self.service(cluster, name)
            told = [event["message"] for event in service.pop("events")[:20]]
            never.add_note("\n".join([str(service), *told, *self.defects()]))
            raise

    def in_flight(self, cluster="production", name="news-api"):
        """ARNs of the deployments that are not over and can be seen."""
        listed = self.ecs.list_service_deployments(
            cluster=cluster, service=name, status=["PENDING", "IN_PROGRESS"]
        )
        return [brief["serviceDeploymentArn"] for brief in listed["serviceDeployments"]]

    def defects(self):
        """What the sandbox has logged about parts of it that broke."""
        lines = Path(self.output.name).read_text().splitlines()
        loggers = ("sandbox", "sandbox.ecs", "sandbox.repeating")
        return [line for line in lines if line.startswith(tuple(f"ERROR {n} " for n in loggers))]

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.output.close()

    # -- ECS -----------------------------------------------------------------------------------

    def service(self, cluster="production", name="news-api"):
        answer = self.ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])
        return answer["services"][0]

    def register(self, tag, family="news-api"):
        """A new task definition that runs image `tag`; returns its ARN."""
        known = self.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
        container = known["containerDefinitions"][0] | {"image": f"{REGISTRY}/news-api:{tag}"}
        answer = self.ecs.register_task_definition(
            family=family,
            cpu=known["cpu"],
            memory=known["memory"],
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            executionRoleArn=known["executionRoleArn"],
            containerDefinitions=[container],
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    def release(self, tag, *, name="news-api", cluster="production", **configuration):
        """Update a service to image `tag`; returns the ARN of the service deployment."""
        definition = self.register(tag, name)
        self.ecs.update_service(
            cluster=cluster,
            service=name,
            taskDefinition=definition,
            deploymentConfiguration=configuration,
        )
        return self.deployment_of(definition, cluster, name)

    def deployment_of(self, definition, cluster="production", name="news-api"):
        """Wait until the deployment of a task definition is listed; returns its ARN."""
        return wait_until(lambda: self._listed_of(definition, cluster, name))

    def _listed_of(self, definition, cluster, name):
        listed = self.ecs.list_service_deployments(cluster=cluster, service=name)
        for brief in listed["serviceDeployments"]:
            revision = self.revision(brief["targetServiceRevisionArn"])
            if revision["taskDefinition"] == definition:
                return brief["serviceDeploymentArn"]
        return None

    def newest_deployment(self, cluster="production", name="news-api"):
        """The ARN of the deployment that is listed first."""
        listed = self.ecs.list_service_deployments(cluster=cluster, service=name)
        return listed["serviceDeployments"][0]["serviceDeploymentArn"]

    def deployment_after(self, arn):
        """Wait until a newer deployment of production's News API is listed; returns its ARN."""
        wait_until(lambda: self.newest_deployment() != arn)
        return self.newest_deployment()

    def revision(self, arn):
        answer = self.ecs.describe_service_revisions(serviceRevisionArns=[arn])
        return answer["serviceRevisions"][0]

    def deployment(self, arn):
        answer = self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        return answer["serviceDeployments"][0]

    def waiting_hook(self, arn, *, after=()):
        """Wait for a pause whose id is not in `after`; returns its entry."""

        def waiting():
            hooks = self.deployment(arn)["lifecycleHookDetails"]
            fresh = [
                h for h in hooks if h["status"] == "AWAITING_ACTION" and h["hookId"] not in after
            ]
            return fresh[0] if fresh else None

        return wait_until(waiting)

    def resume(self, arn, hook, action="CONTINUE"):
        self.ecs.continue_service_deployment(
            serviceDeploymentArn=arn, hookId=hook["hookId"], action=action
        )

    def at_stage(self, arn, stage):
        return wait_until(lambda: self.deployment(arn).get("lifecycleStage") == stage)

    def finished(self, arn, seconds=LIMIT):
        """Wait until the deployment is over; returns it."""

        def over():
            found = self.deployment(arn)
            return found if "finishedAt" in found and found["status"] in TERMINAL else None

        return wait_until(over, seconds)

    def stop_deployment(self, arn):
        self.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")

    def rest_scaling(self):
        """Let production's News API keep the desired counts that a test gives it."""
        self.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/production/news-api",
            ScalableDimension="ecs:service:DesiredCount",
            SuspendedState={"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": True},
        )

    @contextmanager
    def scaling_suspended(self):
        """Auto-scaling leaves production/news-api alone until the block ends."""
        self._suspend_scaling(True)
        try:
            yield
        finally:
            self._suspend_scaling(False)

    def _suspend_scaling(self, suspended):
        kinds = ("DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling")
        self.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/production/news-api",
            ScalableDimension="ecs:service:DesiredCount",
            SuspendedState={f"{kind}Suspended": suspended for kind in kinds},
        )

    @contextmanager
    def protected(self, tasks):
        """The service keeps these tasks of production until the block ends."""
        where = {"cluster": "production", "tasks": tasks}
        self.ecs.update_task_protection(**where, protectionEnabled=True, expiresInMinutes=60)
        try:
            yield
        finally:
            self.ecs.update_task_protection(**where, protectionEnabled=False)

    # -- traffic -------------------------------------------------------------------------------

    def get(self, path="/v1/articles", headers=None, method="GET", body=None, port=None):
        """One request to the production load balancer: status, headers, body."""
        connection = HTTPConnection("127.0.0.1", port or self.alb_port, timeout=LIMIT)
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        answer = response.status, dict(response.getheaders()), response.read()
        connection.close()
        return answer

    def version(self):
        return json.loads(self.get()[2])["version"]


TERMINAL = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


class Readers:
    """Clients that send requests over kept-alive connections until the block ends."""

    def __init__(self, account, count=4):
        self._account = account
        self._stop = Event()
        self._pool = ThreadPoolExecutor(count)
        self._count = count
        self.answers = []

    def __enter__(self):
        self._jobs = [self._pool.submit(self._read) for _ in range(self._count)]
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown()
        for job in self._jobs:
            job.result()

    def _read(self):
        connection = HTTPConnection("127.0.0.1", self._account.alb_port, timeout=30)
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                connection.request("GET", "/v1/articles")
                response = connection.getresponse()
                status, version = (
                    response.status,
                    json.loads(response.read() or b"{}").get("version"),
                )
            except (OSError, HTTPException) as error:
                status, version = repr(error), None
                connection.close()
            self.answers.append((started, status, version))
            time.sleep(0.004)
        connection.close()

    def failures(self):
        return [answer for answer in list(self.answers) if answer[1] != 200]

    def versions(self, start, end):
        """How many requests sent between two moments each version answered."""
        return Counter(v for at, _, v in list(self.answers) if start < at < end)
