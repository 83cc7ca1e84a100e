"""Our API and SSM itself answer the same calls alike, once a command sent through either has settled."""

import contextlib
import datetime
import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

import clients
from world import BROKEN, HANGING, HYBRID, SLOW, TALKATIVE, UNREACHABLE, WELL, World, eventually, snake

# What may differ, and why. Everything else may not.
MAY_DIFFER = {
    "ResponseMetadata": "names one request: its id, its date, its retries",
    "NextToken": "what it says is each service's own; that there is one is not",
    "Error.Message": "words for people; no client matches on them",
    "CommandInvocations' order": "SSM documents none",
    "Comment": "SSM keeps the token of our send in front of it; we show what the caller said",
    "InvalidInstanceId of the lists": "only SSM knows which nodes it manages; of one that nobody sent anything to, ours is empty",
}

NOBODY = "00000000-0000-0000-0000-000000000000"
STRANGER = "i-0123456789abcdef0"
LONG_AGO, FAR_AHEAD = "2018-07-07T00:00:00Z", "2100-01-01T00:00:00Z"


SETTLED_WITHIN = 15  # seconds


@dataclass(frozen=True)
class Sent:
    """A command that both show as ended; `document` is only this command's."""

    command: str
    document: str


def sent(through: World, api: World, aws: World, name: str, parameters: dict[str, Any]) -> Sent:
    document = f"alike-{name}-{through.name}"
    content = aws.ssm.get_document(Name=parameters.pop("DocumentName", "AWS-RunShellScript"))["Content"]
    aws.ssm.create_document(Name=document, Content=content, DocumentType="Command", DocumentFormat="JSON")
    command = through.ssm.send_command(DocumentName=document, **parameters)["Command"]["CommandId"]
    wait_for_end(api, aws, command)
    # Ours has ended with the last event, and reads SSM's own words a little later. What stays different is
    # for the tests to say.
    with contextlib.suppress(AssertionError):
        assert_alike(api, aws, "ListCommands", {"CommandId": command}, within=SETTLED_WITHIN)
        assert_alike(
            api, aws, "ListCommandInvocations", {"CommandId": command, "Details": True}, within=SETTLED_WITHIN
        )
    return Sent(command, document)


def wait_for_end(api: World, aws: World, command: str) -> None:
    """Waits until both show that a command has ended."""
    for world in [aws, api]:
        eventually(functools.partial(ended, world, command), f"the end of {command} at {world.name}")


def ended(world: World, command: str) -> bool:
    found = world.ssm.list_commands(CommandId=command)["Commands"]
    return bool(found) and found[0]["Status"] in {"Success", "Failed", "TimedOut", "Cancelled"}


SCRIPT = {"commands": ["echo hello"], "executionTimeout": ["60"]}
COMMANDS: dict[str, dict[str, Any]] = {
    "well": {"InstanceIds": [WELL], "Parameters": SCRIPT, "Comment": "äöü", "TimeoutSeconds": 600},
    "mixed": {
        "InstanceIds": [WELL, BROKEN, HANGING, UNREACHABLE, HYBRID, TALKATIVE],
        "Parameters": SCRIPT,
        "MaxErrors": "10",
        "MaxConcurrency": "3",
    },
    "tags": {
        "Targets": [{"Key": "tag:Role", "Values": ["web", "batch"]}],
        "Parameters": SCRIPT,
        "MaxConcurrency": "100%",
    },
    "nobody": {"Targets": [{"Key": "tag:Role", "Values": ["no-such-role"]}], "Parameters": SCRIPT},
    "stopped": {
        "InstanceIds": [BROKEN, WELL, HYBRID],
        "Parameters": SCRIPT,
        "MaxConcurrency": "1",
        "MaxErrors": "0",
    },
    "patched": {
        "DocumentName": "AWS-RunPatchBaseline",
        "Targets": [{"Key": "tag:Role", "Values": ["one", "hybrid"]}],
        "Parameters": {"Operation": ["Scan"]},
    },
    "full": {
        "InstanceIds": [WELL],
        "Parameters": SCRIPT,
        "OutputS3BucketName": "outputs-of-compat",
        "OutputS3KeyPrefix": "some/where",
        "ServiceRoleArn": "arn:aws:iam::123456789012:role/notifications",
        "NotificationConfig": {
            "NotificationArn": "arn:aws:sns:eu-central-1:123456789012:compat",
            "NotificationEvents": ["Success", "Failed"],
            "NotificationType": "Invocation",
        },
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "/compat", "CloudWatchOutputEnabled": True},
    },
}


@pytest.fixture(
    scope="module",
    params=[(name, through) for name in COMMANDS for through in ["api", "aws"]],
    ids="-by-".join,
)
def one(request: pytest.FixtureRequest, api: World, aws: World) -> Sent:
    """A command; by `aws` it is somebody else's, which only the account-wide rule tells us of."""
    name, through = request.param
    return sent({"api": api, "aws": aws}[through], api, aws, name, dict(COMMANDS[name]))


def answer(world: World, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What a call is answered, without what may differ."""
    try:
        given = getattr(world.ssm, snake(operation))(**parameters)
    except ClientError as error:
        given = error.response
    status = given["ResponseMetadata"]["HTTPStatusCode"]
    given = {name: value for name, value in given.items() if name != "ResponseMetadata"}
    if "Error" in given:
        return mistake(operation, status, given["Error"]["Code"])
    return {"status": status} | comparable(given)


def mistake(operation: str, status: int, code: str) -> dict[str, Any]:
    """An error, but for a node that a list does not know: that is an empty list for us."""
    lists = {"ListCommands": "Commands", "ListCommandInvocations": "CommandInvocations"}
    if code == "InvalidInstanceId" and operation in lists:
        return {"status": 200, lists[operation]: []}
    return {"status": status, "code": code}


def comparable(given: dict[str, Any]) -> dict[str, Any]:
    """An answer with whatever token it has, its invocations in order, and in comments only what the caller said."""
    given = {name: "some" if name == "NextToken" else value for name, value in given.items()}
    invocations = given.get("CommandInvocations", [])
    for one in [given, *given.get("Commands", []), *invocations]:
        if "Comment" in one:
            one["Comment"] = re.sub(r"^fw:[0-9A-Z]{26} ?", "", one["Comment"])
    invocations.sort(key=lambda one: (one["CommandId"], one["InstanceId"]))
    return given


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two answers differ, each as `path: the one's | the other's`."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(one.keys() | other.keys())
        return [
            found
            for name in names
            for found in differences(one.get(name, "nothing"), other.get(name, "nothing"), f"{path}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for index, (this, that) in enumerate(zip(one, other, strict=True))
            for found in differences(this, that, f"{path}[{index}]")
        ]
    if isinstance(one, datetime.datetime) and isinstance(other, datetime.datetime):
        return [] if abs((one - other).total_seconds()) < 0.001 else [f"{path}: {one} | {other}"]
    return [] if one == other else [f"{path}: {one!r:.200} | {other!r:.200}"]


def assert_alike(
    api: World, aws: World, operation: str, parameters: dict[str, Any], within: float = 1
) -> None:
    """Both answer alike, at the latest after a while."""

    def compare() -> bool:
        found = differences(answer(api, operation, parameters), answer(aws, operation, parameters))
        assert not found, f"{operation} {parameters}, ours | SSM's:\n" + "\n".join(found[:30])
        return True

    eventually(compare, "alike", within)


def test_a_command_is_listed_alike(api: World, aws: World, one: Sent) -> None:
    assert_alike(api, aws, "ListCommands", {"CommandId": one.command})
    for size in [1, 50]:
        assert_alike(
            api,
            aws,
            "ListCommands",
            {
                "MaxResults": size,
                "Filters": [
                    {"key": "DocumentName", "value": one.document},
                    {"key": "InvokedAfter", "value": LONG_AGO},
                ],
            },
        )


@pytest.mark.parametrize("details", [True, False, None])
def test_its_invocations_are_listed_alike(api: World, aws: World, one: Sent, details: bool | None) -> None:
    more: dict[str, Any] = {} if details is None else {"Details": details}
    assert_alike(api, aws, "ListCommandInvocations", {"CommandId": one.command, **more})
    assert_alike(
        api,
        aws,
        "ListCommandInvocations",
        {"Filters": [{"key": "DocumentName", "value": one.document}], "MaxResults": 50, **more},
    )


STATUSES = [
    "Pending",
    "InProgress",
    "Success",
    "Cancelled",
    "Failed",
    "TimedOut",
    "AccessDenied",
    "DeliveryTimedOut",
    "ExecutionTimedOut",
]


@pytest.mark.parametrize("status", [*STATUSES, "Incomplete", "NoInstancesInTag", "LimitExceeded"])
def test_commands_are_found_by_status_alike(api: World, aws: World, one: Sent, status: str) -> None:
    assert_alike(
        api, aws, "ListCommands", {"CommandId": one.command, "Filters": [{"key": "Status", "value": status}]}
    )


@pytest.mark.parametrize("status", [*STATUSES, "Delayed", "Undeliverable", "InvalidPlatform", "Terminated"])
def test_invocations_are_found_by_status_alike(api: World, aws: World, one: Sent, status: str) -> None:
    assert_alike(
        api,
        aws,
        "ListCommandInvocations",
        {"CommandId": one.command, "Filters": [{"key": "Status", "value": status}]},
    )


@pytest.mark.parametrize("stage", ["Executing", "Complete"])
def test_commands_are_found_by_stage_alike(api: World, aws: World, one: Sent, stage: str) -> None:
    by_stage = {"key": "ExecutionStage", "value": stage}
    assert_alike(api, aws, "ListCommands", {"CommandId": one.command, "Filters": [by_stage]})


def test_each_invocation_is_told_alike(api: World, aws: World, one: Sent) -> None:
    invocations = aws.ssm.list_command_invocations(CommandId=one.command, Details=True)["CommandInvocations"]
    for invocation in invocations:
        which = {"CommandId": one.command, "InstanceId": invocation["InstanceId"]}
        assert_alike(api, aws, "GetCommandInvocation", which)
        for plugin in invocation["CommandPlugins"]:
            assert_alike(api, aws, "GetCommandInvocation", {**which, "PluginName": plugin["Name"]})
        for wrong in ["aws:noSuchPlugin", "none"]:
            assert_alike(api, aws, "GetCommandInvocation", {**which, "PluginName": wrong})
        assert_alike(api, aws, "ListCommands", which)
        assert_alike(api, aws, "ListCommandInvocations", {**which, "Details": True})


def test_what_it_did_not_run_on_is_told_alike(api: World, aws: World, one: Sent) -> None:
    for node in [SLOW, STRANGER]:
        which = {"CommandId": one.command, "InstanceId": node}
        for operation in ["GetCommandInvocation", "ListCommands", "ListCommandInvocations"]:
            assert_alike(api, aws, operation, which)


def test_a_cancel_that_comes_late_is_answered_alike(api: World, aws: World, one: Sent) -> None:
    assert_alike(api, aws, "CancelCommand", {"CommandId": one.command})
    for nodes in [[WELL], [SLOW], [STRANGER], [WELL, WELL], []]:
        assert_alike(api, aws, "CancelCommand", {"CommandId": one.command, "InstanceIds": nodes})


@pytest.mark.parametrize("through", ["api", "aws"])
def test_a_command_that_was_cancelled_is_told_alike(
    worlds: dict[str, World], api: World, aws: World, through: str
) -> None:
    ssm = worlds[through].ssm
    command = worlds[through].send(SLOW, WELL)
    # Too early, and SSM does not know its own command yet.
    eventually(lambda: ssm.cancel_command(CommandId=command), "a cancel")
    wait_for_end(api, aws, command)
    assert_alike(api, aws, "ListCommands", {"CommandId": command}, within=SETTLED_WITHIN)
    details = {"CommandId": command, "Details": True}
    assert_alike(api, aws, "ListCommandInvocations", details, within=SETTLED_WITHIN)
    for node in [SLOW, WELL]:
        assert_alike(api, aws, "GetCommandInvocation", {"CommandId": command, "InstanceId": node})


def _filter(key: str, value: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value}]


WELL_SCRIPT: dict[str, Any] = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["uptime"]}}
# Calls that are wrong, or about what there is not. Botocore would refuse many of them itself.
MISTAKES: list[tuple[str, dict[str, Any]]] = [
    *[
        (operation, {"CommandId": identity} | more)
        for operation, more in [
            ("ListCommands", {}),
            ("ListCommands", {"InstanceId": WELL}),
            ("ListCommandInvocations", {}),
            ("ListCommandInvocations", {"InstanceId": WELL}),
            ("GetCommandInvocation", {"InstanceId": WELL}),
            ("GetCommandInvocation", {"InstanceId": WELL, "PluginName": "aws:runShellScript"}),
            ("CancelCommand", {}),
            ("CancelCommand", {"InstanceIds": [WELL]}),
        ]
        for identity in [NOBODY, "", "short", "x" * 36, "x" * 37, NOBODY.upper().replace("0", "A")]
    ],
    *[
        (operation, {"InstanceId": node})
        for operation in ["ListCommands", "ListCommandInvocations"]
        for node in [STRANGER, "", "web-1", "i-", "i-123", "mi-0123", "I-0000000000000AAAA"]
    ],
    *[
        (operation, {"CommandId": NOBODY, "InstanceId": node})
        for operation in ["ListCommands", "ListCommandInvocations", "GetCommandInvocation"]
        for node in [STRANGER, "", "web-1"]
    ],
    *[
        (operation, {"MaxResults": size} | more)
        for operation in ["ListCommands", "ListCommandInvocations"]
        for size in [0, -1, 51, 2**31]
        for more in [{}, {"CommandId": NOBODY}, {"InstanceId": WELL}]
    ],
    *[
        (operation, {"NextToken": token})
        for operation in ["ListCommands", "ListCommandInvocations"]
        for token in ["", "x", "ä", "0" * 48]
    ],
    *[
        (operation, {"Filters": filters})
        for operation in ["ListCommands", "ListCommandInvocations"]
        for filters in [
            [],
            _filter("Unknown", "x"),
            _filter("status", "Success"),
            _filter("", "x"),
            _filter("Status", ""),
            _filter("Status", "success"),
            _filter("Status", "Incomplete"),
            _filter("Status", "Terminated"),
            _filter("Status", "Cancelling"),
            _filter("ExecutionStage", "Complete"),
            _filter("ExecutionStage", "Running"),
            _filter("InvokedAfter", "yesterday"),
            _filter("InvokedBefore", "2018-07-07"),
            _filter("InvokedAfter", "2018-07-07T00:00:00"),
            _filter("InvokedBefore", LONG_AGO),
            _filter("InvokedAfter", FAR_AHEAD),
            _filter("DocumentName", "no-such-document"),
            _filter("DocumentName", "x" * 129),
            [{"key": "Status"}],
            [{"value": "Success"}],
            [{}],
            _filter("DocumentName", "no-such-document") * 5,
            _filter("DocumentName", "no-such-document") * 6,
        ]
        # Whether all commands have a stage or a place in time is another test's; this one is about mistakes.
        if not (operation == "ListCommands" and filters == _filter("ExecutionStage", "Complete"))
        and filters != _filter("Status", "Incomplete")
    ],
    ("CancelCommand", {}),
    ("GetCommandInvocation", {}),
    ("GetCommandInvocation", {"CommandId": NOBODY}),
    ("GetCommandInvocation", {"InstanceId": WELL}),
    ("GetCommandInvocation", {"CommandId": NOBODY, "InstanceId": WELL, "PluginName": "x"}),
    ("CancelCommand", {"CommandId": NOBODY, "InstanceIds": ["web-1"]}),
    ("CancelCommand", {"CommandId": NOBODY, "InstanceIds": [WELL, WELL]}),
    ("CancelCommand", {"CommandId": NOBODY, "InstanceIds": [f"i-{n:017x}" for n in range(51)]}),
    ("SendCommand", {}),
    ("SendCommand", WELL_SCRIPT),
    ("SendCommand", {"DocumentName": "AWS-RunShellScript", "InstanceIds": [WELL]}),
    ("SendCommand", {"DocumentName": "no-such-document", "InstanceIds": [WELL]}),
    ("SendCommand", {"DocumentName": "compat-patrol", "InstanceIds": [WELL]}),
    *[
        ("SendCommand", WELL_SCRIPT | {"InstanceIds": [WELL]} | change)
        for change in [
            {"InstanceIds": [STRANGER]},
            {"InstanceIds": [WELL, STRANGER]},
            {"InstanceIds": [WELL, WELL]},
            {"InstanceIds": ["web-1"]},
            {"InstanceIds": []},
            {"InstanceIds": [f"i-{n:017x}" for n in range(51)]},
            {"Targets": [{"Key": "tag:Role", "Values": ["web"]}]},
            {"InstanceIds": [], "Targets": []},
            {"InstanceIds": [], "Targets": [{"Key": "tag:Role", "Values": ["web"]}] * 6},
            {"InstanceIds": [], "Targets": [{"Key": "tag:Role", "Values": ["web"] * 51}]},
            {"InstanceIds": [], "Targets": [{"Key": "", "Values": ["web"]}]},
            {"InstanceIds": [], "Targets": [{"Key": "no such key", "Values": ["web"]}]},
            {"DocumentName": ""},
            {"DocumentName": "x"},
            {"DocumentName": "not a name"},
            {"DocumentVersion": "99"},
            {"DocumentVersion": "0"},
            {"DocumentVersion": "latest"},
            {"DocumentHash": "x" * 257},
            {"DocumentHashType": "Md5"},
            {"TimeoutSeconds": 29},
            {"TimeoutSeconds": 2_592_001},
            {"Comment": "x" * 101},
            {"Parameters": {"commands": ["x"], "unheard": ["of"]}},
            {"Parameters": {"commands": ["x"], "workingDirectory": ["a", "b"]}},
            {"Parameters": {"commands": ["x" * 70_000]}},
            {"OutputS3Region": "x"},
            {"OutputS3BucketName": "x"},
            {"OutputS3BucketName": "x" * 64},
            {"OutputS3KeyPrefix": "x" * 501},
            {"MaxConcurrency": "0"},
            {"MaxConcurrency": "101%"},
            {"MaxConcurrency": ""},
            {"MaxErrors": "-1"},
            {"MaxErrors": "00"},
            {"MaxErrors": "12345678"},
            {"NotificationConfig": {"NotificationEvents": ["Never"]}},
            {"NotificationConfig": {"NotificationType": "Node"}},
            {"NotificationConfig": {"NotificationArn": "x", "NotificationEvents": ["All"]}},
            {"CloudWatchOutputConfig": {"CloudWatchLogGroupName": ""}},
            {"CloudWatchOutputConfig": {"CloudWatchLogGroupName": "x" * 513}},
            {"AlarmConfiguration": {}},
            {"AlarmConfiguration": {"Alarms": []}},
            {"AlarmConfiguration": {"Alarms": [{}]}},
            {"AlarmConfiguration": {"Alarms": [{"Name": ""}]}},
            {"AlarmConfiguration": {"Alarms": [{"Name": "a"}, {"Name": "b"}]}},
        ]
    ],
]


@pytest.fixture(scope="module")
def unchecked(api: World, aws: World) -> Callable[[str, str, dict[str, Any]], dict[str, Any]]:
    """Calls as botocore would send them if it did not look first."""
    wires = {world.name: clients.Wire(world.url) for world in [api, aws]}

    def call(endpoint: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answered = wires[endpoint].post(f"AmazonSSM.{operation}", json.dumps(parameters).encode())
        if answered.status != 200:
            return mistake(operation, answered.status, answered.json.get("__type"))
        return {"status": 200} | comparable(answered.json)

    return call


@pytest.mark.parametrize(
    ("operation", "parameters"),
    MISTAKES,
    ids=[f"{operation}-{str(parameters)[:70]}" for operation, parameters in MISTAKES],
)
def test_mistakes_are_told_alike(
    unchecked: Callable[[str, str, dict[str, Any]], dict[str, Any]],
    operation: str,
    parameters: dict[str, Any],
) -> None:
    ours, ssms = unchecked("api", operation, parameters), unchecked("aws", operation, parameters)
    assert differences(ours, ssms) == [], f"{operation} {str(parameters)[:300]}, ours | SSM's"


def test_what_others_sent_shows_up_in_our_lists(api: World, aws: World) -> None:
    """Nobody asked us for it by its id: the account-wide rule's first event made it known."""
    command = aws.send(WELL, Comment="somebody else's")

    def listed() -> list[str]:
        pages = api.ssm.get_paginator("list_commands").paginate(InstanceId=WELL)
        return [
            found["Comment"] for page in pages for found in page["Commands"] if found["CommandId"] == command
        ]

    assert eventually(listed, "somebody else's command") == ["somebody else's"]
