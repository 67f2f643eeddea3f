"""A topic's subscriber and what it received."""

from __future__ import annotations

import json

from tests.sandbox.account import wait_until


def subscribed(account, name):
    """A queue that receives what a topic of its name is told: the topic's ARN, the queue's URL."""
    sns, sqs = account.client("sns"), account.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, url


def received(account, url):
    """The next message of a queue, as SNS wrapped it."""
    sqs = account.client("sqs")

    def arrived():
        return sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages")

    message = wait_until(arrived)[0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])
