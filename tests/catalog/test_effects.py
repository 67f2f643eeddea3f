"""A call that changes AWS is made at most once, whatever becomes of its answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from aws.errors import Refused, Throttled, Unreachable
from catalog.models import Effect, EffectState
from catalog.work import OutcomeUnknown, Progress
from tests.catalog.claims import Calls, claimed, once


def test_an_effect_happens_once_however_often_it_is_asked_for(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls({"arn": "x"})

    answers = [once(lease, call), once(lease, call)]

    assert answers == [{"arn": "x"}, {"arn": "x"}]
    assert call.count == 1


def test_the_intent_is_written_before_the_call(operation, handle):
    handle(lambda lease: Progress())
    seen = []

    once(claimed(), lambda: seen.append(Effect.objects.get().state) or {})

    assert seen == [EffectState.INTENDED]


def test_after_a_lost_answer_aws_is_asked_before_anything_is_repeated(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    answer = once(lease, call, find=lambda intent: {"arn": "found"})

    assert answer == {"arn": "found"}
    assert call.count == 1


def test_while_aws_cannot_tell_nothing_is_repeated(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    def cannot_tell(intent):
        raise OutcomeUnknown("not yet")

    with pytest.raises(OutcomeUnknown):
        once(lease, call, find=cannot_tell)

    assert call.count == 1


def test_what_certainly_did_not_happen_is_sent_again(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Unreachable("no answer"), {"arn": "x"})
    with pytest.raises(Unreachable):
        once(lease, call)

    assert once(lease, call) == {"arn": "x"}
    assert Effect.objects.get().attempts == 2


def test_aws_gets_its_time_anew_after_each_sending(operation, handle):
    handle(lambda lease: Progress())
    lease = claimed()
    with pytest.raises(Unreachable):
        once(lease, Calls(Unreachable("no answer")))
    Effect.objects.update(intended_at=Now() - timedelta(hours=1))
    long_ago = Effect.objects.get().intended_at

    with pytest.raises(Unreachable):
        once(lease, Calls(Unreachable("no answer again")))

    assert Effect.objects.get().intended_at > long_ago + timedelta(minutes=59)


def test_a_refused_question_says_nothing_about_the_call(operation, handle):
    handle(lambda lease: Progress())
    lease = claimed()
    call = Calls(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        once(lease, call)

    def find(intent):
        raise Refused("sts: the credentials have expired")

    with pytest.raises(OutcomeUnknown, match="expired"):
        once(lease, call, find)

    assert call.count == 1
    assert Effect.objects.get().state == EffectState.INTENDED


def test_a_throttled_call_is_sent_again_without_asking(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Throttled("slow down"), {"arn": "x"})
    with pytest.raises(Throttled):
        once(lease, call)

    answer = once(lease, call, find=lambda intent: pytest.fail("asked"))

    assert answer == {"arn": "x"}


def test_a_refusal_is_final(operation, handle):
    handle(lambda lease: Progress())
    lease, call = claimed(), Calls(Refused("no"))
    for _ in range(2):
        with pytest.raises(Refused, match="no"):
            once(lease, call)

    assert call.count == 1
