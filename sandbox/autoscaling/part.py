"""Application Auto Scaling as a part of the account."""

from __future__ import annotations

from sandbox.alarms.service import Alarms
from sandbox.autoscaling import world
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.departures import Departures
from sandbox.autoscaling.engine import Engine
from sandbox.autoscaling.fulfilment import Fulfilment
from sandbox.autoscaling.service import ApplicationAutoScaling
from sandbox.autoscaling.timetable import Timetable
from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.ecs.controller import Controller
from sandbox.load_balancers import LoadBalancers

POLICIES = "arn:aws:autoscaling:"


async def join(sandbox: Context) -> None:
    """Serve the operations, execute policies when alarms ring, and run scheduled actions."""
    book, alarms = Book(sandbox.state), sandbox.of(Alarms)
    fulfilment = Fulfilment(book, sandbox.of(Account), sandbox.of(Controller), sandbox.spawn)
    service = ApplicationAutoScaling(book, fulfilment, alarms, sandbox.of(LoadBalancers))
    sandbox.provide(service)
    sandbox.serve("application-autoscaling", service)
    if sandbox.fresh:
        await world.settle(service)
    await service.heal()
    fulfilment.resume()
    alarms.on_action(POLICIES, Engine(book, fulfilment, alarms).on_alarm)
    sandbox.spawn(Timetable(book, fulfilment).run())
    sandbox.spawn(Departures(service).run())
