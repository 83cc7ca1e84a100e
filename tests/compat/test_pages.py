"""Paginators give all there is exactly once, and a token is good for the request that it answers."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import clients
from world import WELL, Made, World, eventually, snake

BOTH = pytest.mark.parametrize("endpoint", ["api", "aws"])
SIZES = pytest.mark.parametrize("size", [1, 50])


def all_pages(
    world: World, operation: str, size: int, query: dict[str, Any], between: Callable[[], Any] = lambda: None
) -> list[dict[str, Any]]:
    """All pages by boto3's own paginator, with something that happens between them."""
    paginator = world.ssm.get_paginator(snake(operation))
    pages = []
    for page in paginator.paginate(PaginationConfig={"PageSize": size}, **query):
        pages.append(page)
        between()
    key = paginator.result_keys[0].expression
    assert all(len(page[key]) <= size for page in pages)
    return [one for page in pages for one in page[key]]


def own_document(world: World, name: str) -> str:
    """A document that no other test sends, so that a list of its commands is this test's own."""
    content = world.cloud.get_document(Name="AWS-RunShellScript")["Content"]
    world.cloud.create_document(Name=name, Content=content, DocumentType="Command", DocumentFormat="JSON")
    return name


@BOTH
@SIZES
def test_commands_are_listed_once_while_new_ones_arrive(
    worlds: dict[str, World], endpoint: str, size: int
) -> None:
    world = worlds[endpoint]
    document = own_document(world, f"pages-{endpoint}-{size}")
    query = {"Filters": [{"key": "DocumentName", "value": document}]}
    before = [world.send(WELL, DocumentName=document) for _ in range(7)]
    eventually(lambda: len(world.ssm.list_commands(**query)["Commands"]) == 7, "seven commands")

    found = all_pages(world, "ListCommands", size, query, lambda: world.send(WELL, DocumentName=document))
    ids = Counter(command["CommandId"] for command in found)
    assert set(before) <= set(ids)
    assert max(ids.values()) == 1


@BOTH
@SIZES
def test_invocations_are_listed_once_while_new_ones_arrive(
    worlds: dict[str, World], endpoint: str, size: int
) -> None:
    world = worlds[endpoint]
    command = world.ssm.send_command(
        DocumentName="AWS-RunShellScript",
        Targets=[{"Key": "tag:Role", "Values": ["web", "batch"]}],
        Parameters={"commands": ["uptime"]},
    )["Command"]["CommandId"]
    query = {"CommandId": command, "Details": size == 1}

    def all_there() -> bool:
        found = world.ssm.list_command_invocations(CommandId=command)["CommandInvocations"]
        return len(found) == 18 and all(one["Status"] == "Success" for one in found)

    eventually(all_there, "eighteen invocations")
    found = all_pages(world, "ListCommandInvocations", size, query, lambda: world.send(WELL))
    assert len(found) == len({one["InstanceId"] for one in found}) == 18


@SIZES
def test_executions_are_listed_once_while_new_ones_start(api: World, size: int) -> None:
    started = {api.start("compat-permit") for _ in range(5)}
    query = {"Filters": [{"Key": "DocumentNamePrefix", "Values": ["compat-permit"]}]}

    def listed() -> list[str]:
        found = all_pages(api, "DescribeAutomationExecutions", 50, query)
        return [one["AutomationExecutionId"] for one in found]

    eventually(lambda: started <= set(listed()), "five executions")
    starts = iter(range(3))
    found = all_pages(
        api,
        "DescribeAutomationExecutions",
        size,
        query,
        lambda: next(starts, None) is not None and api.start("compat-permit"),
    )
    ids = Counter(one["AutomationExecutionId"] for one in found)
    assert started <= set(ids)
    assert max(ids.values()) == 1


@SIZES
def test_steps_are_listed_once_and_in_reverse(api: World, size: int) -> None:
    query: dict[str, Any] = {"AutomationExecutionId": api.make(Made.EXECUTION)}
    forwards = [one["StepName"] for one in all_pages(api, "DescribeAutomationStepExecutions", size, query)]
    backwards = all_pages(api, "DescribeAutomationStepExecutions", size, query | {"ReverseOrder": True})
    assert len(forwards) == len(set(forwards)) >= 3
    assert [one["StepName"] for one in backwards] == forwards[::-1]


# A list, and another question to it.
LISTS = [
    ("ListCommands", {"InstanceId": WELL}, {"Filters": [{"key": "Status", "value": "Success"}]}),
    ("ListCommands", {}, {"InstanceId": WELL}),
    ("ListCommandInvocations", {"InstanceId": WELL}, {"Filters": [{"key": "Status", "value": "Success"}]}),
    ("ListCommandInvocations", {}, {"CommandId": Made.COMMAND}),
    ("DescribeAutomationExecutions", {}, {"Filters": [{"Key": "ExecutionStatus", "Values": ["Success"]}]}),
    (
        "DescribeAutomationStepExecutions",
        {"AutomationExecutionId": Made.EXECUTION},
        {"Filters": [{"Key": "StepName", "Values": ["look"]}]},
    ),
]


@pytest.mark.parametrize(
    ("endpoint", "operation", "query", "other"),
    [("api", *one) for one in LISTS] + [("aws", *one) for one in LISTS if one[0].startswith("List")],
)
def test_a_token_that_was_altered_or_is_another_requests_is_refused(
    worlds: dict[str, World], endpoint: str, operation: str, query: dict[str, Any], other: dict[str, Any]
) -> None:
    world = worlds[endpoint]
    for _ in range(2):
        if operation == "DescribeAutomationExecutions":
            world.start("compat-permit")
        elif operation.startswith("List"):
            world.send(WELL)
    # Whether there is a second page depends on nothing that other tests did.
    asked = world.resolve(operation, query | {"MaxResults": 1, "NextToken": Made.TOKEN})
    token = asked.pop("NextToken")
    call = getattr(world.ssm, snake(operation))
    call(**asked, NextToken=token)

    middle = len(token) // 2
    turned = "A" if token[middle] != "A" else "B"
    for altered in [
        token[:-1],
        token[1:],
        token + "A",
        token[:middle] + turned + token[middle + 1 :],
        "x",
        " ",
    ]:
        assert clients.error_code(call, **asked, NextToken=altered) == "InvalidNextToken", altered
    another = asked | world.resolve(operation, other)
    assert clients.error_code(call, **another, NextToken=token) == "InvalidNextToken"
