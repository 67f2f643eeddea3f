"""One account's answers, as the checks of the security catalogue read them."""

from __future__ import annotations

import csv
import io
import json
import time

ANYWHERE = ("0.0.0.0/0", "::/0")


class Evidence:
    """Answers of one account, each asked for once."""

    def __init__(self, account):
        self.client = account.client
        self._known = {}

    def ask(self, service, operation, **parameters):
        key = (service, operation, json.dumps(parameters, sort_keys=True))
        if key not in self._known:
            self._known[key] = getattr(self.client(service), operation)(**parameters)
        return self._known[key]

    # -- what stands in the account ----------------------------------------------------------------

    def services(self):
        """(cluster/name, service) of every service."""
        for cluster in ("production", "staging"):
            names = self.ask("ecs", "list_services", cluster=cluster)["serviceArns"]
            found = self.ask("ecs", "describe_services", cluster=cluster, services=sorted(names))
            for service in found["services"]:
                yield f"{cluster}/{service['serviceName']}", service

    def containers(self):
        """(family, container) of what services run."""
        for arn in sorted({service["taskDefinition"] for _, service in self.services()}):
            found = self.ask("ecs", "describe_task_definition", taskDefinition=arn)
            definition = found["taskDefinition"]
            for container in definition["containerDefinitions"]:
                yield definition["family"], container

    def tasks(self):
        for cluster in ("production", "staging"):
            arns = self.ask("ecs", "list_tasks", cluster=cluster)["taskArns"]
            yield from self.ask("ecs", "describe_tasks", cluster=cluster, tasks=arns)["tasks"]

    def repositories(self):
        return self.ask("ecr", "describe_repositories")["repositories"]

    def balancers(self):
        return self.ask("elbv2", "describe_load_balancers")["LoadBalancers"]

    def attribute(self, balancer, key):
        found = self.ask(
            "elbv2",
            "describe_load_balancer_attributes",
            LoadBalancerArn=balancer["LoadBalancerArn"],
        )
        return {a["Key"]: a["Value"] for a in found["Attributes"]}.get(key)

    def listeners(self, balancer):
        found = self.ask("elbv2", "describe_listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
        return found["Listeners"]

    def databases(self):
        return self.ask("rds", "describe_db_instances")["DBInstances"]

    def caches(self):
        return self.ask("elasticache", "describe_replication_groups")["ReplicationGroups"]

    def secrets(self):
        return self.ask("secretsmanager", "list_secrets")["SecretList"]

    def groups(self):
        return self.ask("ec2", "describe_security_groups")["SecurityGroups"]

    def openings(self):
        """(group, permission) of everything that anybody on the internet may reach."""
        for group in self.groups():
            for permission in group["IpPermissions"]:
                if any(r["CidrIp"] in ANYWHERE for r in permission["IpRanges"]):
                    yield group, permission

    def roles(self):
        return self.ask("iam", "get_account_authorization_details", Filter=["Role"])[
            "RoleDetailList"
        ]

    def statements(self, role):
        for policy in role["RolePolicyList"]:
            yield from policy["PolicyDocument"]["Statement"]

    def trusts(self, role):
        return role["AssumeRolePolicyDocument"]["Statement"]

    def report(self):
        iam = self.client("iam")
        while iam.generate_credential_report()["State"] != "COMPLETE":
            time.sleep(0.2)
        text = iam.get_credential_report()["Content"].decode()
        return list(csv.DictReader(io.StringIO(text)))
