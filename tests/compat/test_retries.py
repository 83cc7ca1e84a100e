"""What an SDK repeats is done once: SendCommand has no client token, but every SDK names its requests."""

import uuid
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

import clients
from world import WELL, World, eventually

SCRIPT = {"DocumentName": "AWS-RunShellScript", "InstanceIds": [WELL], "Parameters": {"commands": ["uptime"]}}


def named(world: World, invocation: str, key: str = "test") -> Any:
    """A client whose every request is called by this name."""
    client = clients.boto3_client("ssm", world.url, key)

    def name(request: Any, **_: Any) -> None:
        request.headers["amz-sdk-invocation-id"] = invocation

    client.meta.events.register("before-send.ssm.SendCommand", name)
    return client


def runs(world: World, comment: str) -> list[str]:
    """The commands with this comment that the embedded SSM really has."""
    pages = world.cloud.get_paginator("list_commands").paginate(InstanceId=WELL)
    return [
        one["CommandId"] for page in pages for one in page["Commands"] if comment in one.get("Comment", "")
    ]


def test_the_same_request_twice_is_one_command(api: World) -> None:
    client = named(api, str(uuid.uuid4()))
    first = client.send_command(**SCRIPT, Comment="said twice")["Command"]["CommandId"]
    second = client.send_command(**SCRIPT, Comment="said twice")["Command"]["CommandId"]
    assert first == second
    api.finished(first)
    assert runs(api, "said twice") == [first]


def test_after_its_end_it_is_still_that_command(api: World) -> None:
    client = named(api, str(uuid.uuid4()))
    first = client.send_command(**SCRIPT, Comment="said late")["Command"]["CommandId"]
    api.finished(first)
    assert client.send_command(**SCRIPT, Comment="said late")["Command"]["CommandId"] == first
    assert runs(api, "said late") == [first]


def test_two_callers_who_happen_to_name_alike_have_two_commands(api: World) -> None:
    name = str(uuid.uuid4())
    sent = {
        named(api, name, key).send_command(**SCRIPT, Comment="said by two")["Command"]["CommandId"]
        for key in ["test", "other"]
    }
    assert len(sent) == 2
    eventually(lambda: set(runs(api, "said by two")) == sent, "two runs")


def test_two_requests_are_two_commands(api: World) -> None:
    sent = {api.ssm.send_command(**SCRIPT, Comment="meant twice")["Command"]["CommandId"] for _ in range(2)}
    assert len(sent) == 2
    eventually(lambda: set(runs(api, "meant twice")) == sent, "two runs")


def test_boto3_repeats_a_call_whose_answer_was_lost(api: World) -> None:
    client = clients.boto3_client("ssm", api.url, attempts=3)
    network = URLLib3Session()
    tries = []

    def lose_the_first_answer(request: Any, **_: Any) -> AWSResponse | None:
        tries.append(request.headers["amz-sdk-invocation-id"])
        if len(tries) > 1:
            return None
        assert network.send(request).status_code == 200
        return AWSResponse(request.url, 503, {}, _Nothing())

    client.meta.events.unregister("response-received.ssm", clients.JUDGE._judge)
    client.meta.events.register("before-send.ssm.SendCommand", lose_the_first_answer)
    sent = client.send_command(**SCRIPT, Comment="lost once")["Command"]["CommandId"]
    assert len(tries) == 2
    assert len(set(tries)) == 1
    api.finished(sent)
    assert runs(api, "lost once") == [sent]


class _Nothing:
    """The body of an answer that was lost."""

    def stream(self, *_: Any, **__: Any) -> Any:
        return iter([b""])

    def read(self, *_: Any, **__: Any) -> bytes:
        return b""
