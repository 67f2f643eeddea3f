"""Changes that come at once: clients and ECS move the same rule, and DescribeRules stays true."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from sandbox.balancing.changes import Changes
from sandbox.balancing.model import Listener, Picture, Rule, Target, TargetGroup
from sandbox.load_balancers import LoadBalancers

BLUE, GREEN, RULE = "arn:x:targetgroup/blue/1", "arn:x:targetgroup/green/2", "arn:x:rule"
LISTENER = Listener("arn:x:listener/app/x/1/2", "app/x/1", 80)
FIXED = {"fixed": {"status": 404, "content_type": "text/plain", "body": ""}}


class Moto:
    """What moto keeps of one rule, in a thread of its own: one job after the other."""

    def __init__(self):
        self.rule = Rule(RULE, "app/x/1", {BLUE: 100.0, GREEN: 0.0}, LISTENER.arn)
        self._one = asyncio.Lock()
        self._jobs = set()

    async def with_tail(self, work):
        async with self._one:
            done = work(None)
        # The answer is on its way back, and others are being asked meanwhile.
        for _ in range(5):
            await asyncio.sleep(0)
        return done

    def ask(self, tail, service, operation, parameters):
        for name, value in parameters.items():
            setattr(self.rule, name, value)
        return {}

    def read(self, weights):
        told = Rule(RULE, "app/x/1", dict(self.rule.weights), LISTENER.arn, answer=self.rule.answer)
        known = weights.get(RULE, {})
        if known.keys() == told.weights.keys():
            self.rule.weights = dict(known)
        return Picture([LISTENER], [told], [TargetGroup(BLUE), TargetGroup(GREEN)])

    def show(self, rule):
        async def later():
            async with self._one:
                self.rule.weights, self.rule.answer = dict(rule.weights), {}

        job = asyncio.create_task(later())
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def idle(self):
        while self._jobs:
            await asyncio.gather(*self._jobs)


@pytest.fixture
def moto(tmp_path, monkeypatch):
    made = Moto()
    monkeypatch.setattr("sandbox.moto_calls.ask", made.ask)
    monkeypatch.setattr("sandbox.balancing.moto_picture.read", made.read)
    monkeypatch.setattr("sandbox.balancing.data_plane.PUSH_WITHIN", 0.0)
    return made


def account(tmp_path, moto):
    balancers = LoadBalancers(tmp_path / "alb", interval=60.0, drain_seconds=1.0)
    picture = moto.read({})
    balancers.take_over(picture)
    balancers.on_weights = moto.show
    return balancers


def by_client(changes, weights, answer=None):
    given = {"weights": weights, "answer": answer or {}}
    return changes.make("ModifyRule", given, moved=RULE)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("given", [({BLUE: 7.0, GREEN: 3.0}, {}), ({GREEN: 1.0}, {}), ({}, FIXED)])
def test_what_is_told_is_in_force_whoever_comes_first(tmp_path, moto, order, given):
    balancers = account(tmp_path, moto)
    changes = Changes(balancers, moto)

    async def life():
        works = [
            by_client(changes, *given),
            changes.make("CreateRule", {}),
            balancers.set_weights(RULE, {BLUE: 50.0, GREEN: 50.0}),
        ]
        await asyncio.gather(*(works[number] for number in order))
        await moto.idle()

    asyncio.run(life())

    in_force = balancers.rules[RULE]
    assert (moto.rule.weights, moto.rule.answer) == (in_force.weights, in_force.answer)


def test_ecs_moves_a_rule_that_a_client_let_answer_by_itself(tmp_path, moto):
    balancers = account(tmp_path, moto)

    async def life():
        await by_client(Changes(balancers, moto), {}, FIXED)
        await balancers.set_weights(RULE, {BLUE: 0.0, GREEN: 100.0})

    asyncio.run(life())

    assert balancers.rules[RULE].answer == {}
    assert balancers.rules[RULE].weights == {BLUE: 0.0, GREEN: 100.0}


def test_a_target_begins_anew_when_its_group_was_not_in_use(tmp_path, moto):
    balancers = account(tmp_path, moto)
    target = Target(BLUE, 1, "1.4.0")

    async def life():
        await balancers.register(target)
        target.judge(200)
        before = target.state
        await by_client(Changes(balancers, moto), {}, FIXED)
        await balancers.close()
        return before

    before = asyncio.run(life())

    assert (before, target.state) == ("healthy", "initial")
