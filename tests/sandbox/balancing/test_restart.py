"""Load balancers that clients made, after kill -9."""

from __future__ import annotations

import os
import signal

from tests.sandbox.account import Account, wait_until
from tests.sandbox.balancing.lab import NOTHING, Lab, forward, path, weighed


def described(lab, listener):
    elb = lab.elb
    return (
        elb.describe_rules(ListenerArn=listener)["Rules"],
        elb.describe_listeners(LoadBalancerArn=lab.arn)["Listeners"],
        elb.describe_target_groups(LoadBalancerArn=lab.arn)["TargetGroups"],
        elb.describe_tags(ResourceArns=[listener])["TagDescriptions"],
        lab.account.control("GET", "status")["load_balancers"][lab.name]["listeners"],
    )


def pids(account, what):
    lines = (account.home / "pids").read_text().splitlines()
    return [int(line.split()[0]) for line in lines if what in line]


def served(lab, port, where):
    return lab.account.get(where, port=port)[0]


def test_what_clients_made_of_load_balancers_survives_kill_9(fresh_account):
    lab = Lab(fresh_account, "kept")
    groups = [lab.group("a"), lab.group("b")]
    for name, group in zip("ab", groups, strict=True):
        lab.server(name, group)
    listener = lab.listen(actions=NOTHING)
    gone = lab.rule(listener, 1, path("/gone"), forward(groups[0]))
    lab.rule(listener, 3, path("/b"), forward(groups[1]))
    moved = lab.rule(listener, 2, path("/a"), weighed({groups[0]: 1, groups[1]: 1}))
    lab.elb.modify_rule(RuleArn=moved, Actions=weighed({groups[0]: 5, groups[1]: 0}))
    lab.elb.delete_rule(RuleArn=gone)
    lab.elb.add_tags(ResourceArns=[listener], Tags=[{"Key": "owner", "Value": "news"}])
    before, port = described(lab, listener), lab.port()
    for group in groups:
        lab.healthy(group)

    fresh_account.process.kill()
    fresh_account.process.wait()
    lab.account = Account(fresh_account.home, ports=(fresh_account.port, fresh_account.alb_port))
    try:
        lab.account.ready()
        again = described(lab, listener)
        wait_until(lambda: served(lab, port, "/a") == served(lab, port, "/b") == 200)
        names = {lab.name_at("/a"), lab.name_at("/gone")}
        (balancer,) = pids(lab.account, "sandbox.alb")
        os.kill(balancer, signal.SIGKILL)
        wait_until(lambda: pids(lab.account, "sandbox.alb") != [balancer])
        wait_until(lambda: answers(lab, port))
        lab.close()
    finally:
        lab.account.stop()

    assert again == before
    assert names == {"a", 404}


def answers(lab, port):
    try:
        return served(lab, port, "/a") == 200
    except OSError:
        return False
