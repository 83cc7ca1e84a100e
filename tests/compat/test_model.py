"""The judge finds mistakes: a check that finds nothing, whatever it is shown, proves nothing."""

import contextlib
import importlib.resources
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore
import pytest
from botocore.parsers import create_parser

import malformed
import model

COMMAND = {
    "CommandId": "7d1a3f2e-0000-4000-8000-000000000000",
    "DocumentName": "AWS-RunShellScript",
    "RequestedDateTime": 1763726400.25,
    "Status": "Success",
    "TargetCount": 3,
    "InstanceIds": ["i-0000000000000aaaa"],
    "Parameters": {"commands": ["uptime"]},
}


def judged(**changes: Any) -> list[str]:
    operation = model.SSM.operation_model("SendCommand")
    body = json.dumps({"Command": COMMAND | changes}).encode()
    answer = {"status_code": 200, "headers": {}, "body": body}
    try:
        parsed = create_parser("json").parse(answer, operation.output_shape)
    except Exception:
        parsed = {}
    return list(model.answer_problems(operation, body, parsed))


def test_a_good_answer_has_no_problems() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"commandId": "x"}, "unknown"),
        ({"Comment": None}, "null"),
        ({"Comment": 7}, "not a text"),
        ({"Comment": "x" * 101}, "more than 100"),
        ({"CommandId": "short"}, "less than 36"),
        ({"Status": "Incomplete"}, "none of"),
        ({"TargetCount": "3"}, "not a whole number"),
        ({"TargetCount": True}, "not a whole number"),
        ({"TargetCount": 2**40}, "bits"),
        ({"RequestedDateTime": "2026-01-01T00:00:00Z"}, "not seconds"),
        ({"RequestedDateTime": 1763726400250}, "no second of this"),
        ({"InstanceIds": ["web-1"]}, "does not match"),
        ({"InstanceIds": "i-0000000000000aaaa"}, "not a list"),
        ({"Parameters": {"commands": "uptime"}}, "not a list"),
        ({"AlarmConfiguration": {}}, "missing"),
        ({"CloudWatchOutputConfig": {"CloudWatchOutputEnabled": "true"}}, "not true or false"),
    ],
)
def test_a_mistake_in_an_answer_is_found(changes: dict[str, Any], problem: str) -> None:
    assert [found for found in judged(**changes) if problem in found], judged(**changes)


RECORDED = [
    "SendCommand",
    "ListCommandInvocations",
    "GetCommandInvocation",
    "GetAutomationExecution",
    "DescribeAutomationExecutions",
    "DescribeAutomationStepExecutions",
]


def recorded(operation: str) -> Iterator[dict[str, Any]]:
    """The answers in the CLI's own examples."""
    folder = importlib.resources.files("awscli") / "examples" / "ssm"
    text = (folder / f"{botocore.xform_name(operation, '-')}.rst").read_text()
    for answer in re.findall(r"^Output::\n\n(    \{.*?^    \})$", text, re.MULTILINE | re.DOTALL):
        # Some are not whole.
        with contextlib.suppress(ValueError):
            yield json.loads(answer)


@pytest.mark.parametrize("operation", RECORDED)
def test_answers_that_aws_recorded_have_no_problems(operation: str) -> None:
    """What the judge holds, SSM keeps to."""
    answers = list(recorded(operation))
    assert answers
    for answer in answers:
        assert list(model.broken(model.SSM.operation_model(operation).output_shape, answer)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"__type":"InvalidPluginName"}', "neither"),
        (b'{"__type":"InvalidDocument"}', None),
        (b'{"__type":"InvalidDocument","Message":7}', "not a text"),
        (b'{"__type":"ValidationException","message":"x"}', None),
        (b'{"__type":"ValidationException"}', "it has a message"),
        (b"<html>", "not JSON"),
        (b"[]", "not an object"),
        (b"", "not JSON"),
    ],
)
def test_a_mistake_in_an_error_is_found(body: bytes, problem: str | None) -> None:
    found = list(model.error_problems(model.SSM.operation_model("SendCommand"), body))
    assert (not found) if problem is None else (problem in found[0]), found


@pytest.mark.parametrize("operation", model.OPERATIONS)
def test_what_malformed_requests_are_made_of_is_well_formed(operation: str) -> None:
    shape = model.SSM.operation_model(operation).input_shape
    request = malformed.well_formed(shape)
    assert list(model.broken(shape, request, request=True)) == []
    assert set(model.members(shape)) == set(model.used(shape, request))


def test_malformed_requests_are_the_same_each_time_and_of_all_kinds() -> None:
    requests = malformed.requests(model.OPERATIONS, 2_000)
    assert requests == malformed.requests(model.OPERATIONS, 2_000)
    assert len(requests) == 2_000
    kinds = {request.kind for request in requests}
    assert kinds == {*malformed.VALUES, *malformed.BODIES, *malformed.CALLS}
    forbidden = sum(request.forbidden for request in requests)
    assert forbidden > 1_000, "most break a rule that the model writes down"
