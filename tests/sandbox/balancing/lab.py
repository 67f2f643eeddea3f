"""A load balancer of a test's own in the shared account, and servers behind it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.sandbox.account import wait_until

NOTHING = [
    {
        "Type": "fixed-response",
        "FixedResponseConfig": {
            "StatusCode": "404",
            "ContentType": "text/plain",
            "MessageBody": "nothing here",
        },
    }
]


def forward(*groups):
    """To groups by ARN with weight 1."""
    rows = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": rows}}]


def weighed(weights):
    rows = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": rows}}]


def path(*patterns):
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server.owner
        server.asked.append(self.path)
        status = server.health if self.path.startswith("/check") else 200
        held = server.held if self.path == "/held" else None
        if held is not None:
            held.wait(60)
        body = json.dumps({"name": server.name, "headers": dict(self.headers.items())}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


class Server:
    """Answers with its name; `/check…` with status `health`, `/held` once `held` is set."""

    def __init__(self, name, address="127.0.0.1"):
        self.name, self.health, self.asked = name, 200, []
        self.held = threading.Event()
        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.owner, self._server.daemon_threads = self, True
        self.target = {"Id": address, "Port": self._server.server_address[1]}
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        self.held.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Lab:
    """One load balancer `name`; everything made through it is taken away at its end."""

    def __init__(self, account, name):
        self.account, self.name, self.elb = account, name, account.client("elbv2")
        production = self.elb.describe_load_balancers(Names=["news-production"])
        self.vpc = production["LoadBalancers"][0]["VpcId"]
        zones = production["LoadBalancers"][0]["AvailabilityZones"]
        self.subnets = [zone["SubnetId"] for zone in zones]
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets)
        self.arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self._groups, self._servers = [], []

    def listen(self, port=80, actions=NOTHING):
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=port, DefaultActions=actions
        )
        return made["Listeners"][0]["ListenerArn"]

    def group(self, name, **settings):
        usual = {"TargetType": "ip", "HealthCheckPath": "/check", "HealthCheckIntervalSeconds": 5}
        usual |= {"HealthCheckTimeoutSeconds": 4, "HealthyThresholdCount": 2}
        made = self.elb.create_target_group(
            Name=f"{self.name}-{name}",
            Protocol="HTTP",
            Port=8000,
            VpcId=self.vpc,
            **usual | settings,
        )
        self._groups.append(made["TargetGroups"][0]["TargetGroupArn"])
        return self._groups[-1]

    def server(self, name, *groups, **where):
        """A server, registered with groups."""
        server = Server(name, **where)
        self._servers.append(server)
        for group in groups:
            self.elb.register_targets(TargetGroupArn=group, Targets=[server.target])
        return server

    def rule(self, listener, priority, conditions, actions):
        made = self.elb.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=actions
        )
        return made["Rules"][0]["RuleArn"]

    def port(self, aws_port=80):
        """Where a listener answers."""
        shown = self.account.control("GET", "status")["load_balancers"][self.name]["listeners"]
        url = next(listener["url"] for listener in shown if listener["port"] == aws_port)
        return int(url.rsplit(":", 1)[1])

    def ask(self, where="/", headers=None, *, aws_port=80, method="GET"):
        """Status, headers and body of one request."""
        return self.account.get(where, headers, method, port=self.port(aws_port))

    def name_at(self, where="/", headers=None):
        """Who answers, or the status of who does not."""
        status, _, body = self.ask(where, headers)
        return json.loads(body)["name"] if status == 200 else status

    def health(self, group):
        shown = self.elb.describe_target_health(TargetGroupArn=group)
        return [row["TargetHealth"]["State"] for row in shown["TargetHealthDescriptions"]]

    def healthy(self, group):
        wait_until(lambda: self.health(group) == ["healthy"])

    def close(self):
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        for group in self._groups:
            self.elb.delete_target_group(TargetGroupArn=group)
        for server in self._servers:
            server.stop()


@contextmanager
def opened(account, name):
    lab = Lab(account, name)
    try:
        yield lab
    finally:
        lab.close()
