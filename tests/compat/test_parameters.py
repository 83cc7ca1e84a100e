"""Every operation with every parameter, through boto3 and through the aws CLI."""

import pytest
from botocore.exceptions import ClientError

import clients
import model
from calls import CALLS, Call
from world import Made, World, snake

# The embedded SSM runs commands; automations are what we add to it.
ENDPOINTS = {"api": model.OPERATIONS, "aws": model.COMMAND_OPERATIONS}
SERVED = [
    pytest.param(endpoint, call, id=f"{endpoint}-{call.operation}-{call.name.replace(' ', '_')}")
    for endpoint, operations in ENDPOINTS.items()
    for call in CALLS
    if call.operation in operations
]


@pytest.mark.parametrize(("endpoint", "call"), SERVED)
def test_boto3_is_answered(worlds: dict[str, World], endpoint: str, call: Call) -> None:
    world = worlds[endpoint]
    parameters = world.resolve(call.operation, call.parameters)
    try:
        getattr(world.ssm, snake(call.operation))(**parameters)
        refused = None
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    assert refused == call.refused


@pytest.mark.parametrize(("endpoint", "call"), SERVED)
def test_the_cli_is_answered(
    worlds: dict[str, World], clis: dict[str, clients.Cli], endpoint: str, call: Call
) -> None:
    judged = clients.JUDGE.judged
    result = clis[endpoint].call(call.operation, worlds[endpoint].resolve(call.operation, call.parameters))
    assert result.error_code == call.refused, result.stderr
    if call.refused is None:
        assert result.json is not None
    assert clients.JUDGE.judged > judged, "the CLI's answers are held against the model, too"


@pytest.mark.parametrize("operation", model.OPERATIONS)
def test_the_calls_leave_no_parameter_out(operation: str) -> None:
    shape = model.SSM.operation_model(operation).input_shape
    used = {
        path for call in CALLS if call.operation == operation for path in model.used(shape, call.parameters)
    }
    assert set(model.members(shape)) - used == set()


def test_each_operation_is_called() -> None:
    assert {call.operation for call in CALLS} == set(model.OPERATIONS)


FILTERS = {
    "DescribeAutomationExecutions": "AutomationExecutionFilterKey",
    "DescribeAutomationStepExecutions": "StepExecutionFilterKey",
}


@pytest.mark.parametrize(
    ("operation", "key"),
    [(operation, key) for operation, shape in FILTERS.items() for key in model.SSM.shape_for(shape).enum],
)
def test_each_key_of_a_filter_is_taken_or_refused_by_name(api: World, operation: str, key: str) -> None:
    value = {
        "ExecutionStatus": "Success",
        "StepExecutionStatus": "Success",
        "StartTimeBefore": "2100-01-01T00:00:00Z",
        "StartTimeAfter": "2018-07-07T00:00:00Z",
        "AutomationType": "Local",
        "AutomationSubtype": "ChangeRequest",
        "ParentStepIteration": "1",
    }.get(key, "00000000-0000-0000-0000-000000000000")
    parameters: dict[str, object] = {"Filters": [{"Key": key, "Values": [value]}]}
    if operation == "DescribeAutomationStepExecutions":
        parameters["AutomationExecutionId"] = api.make(Made.EXECUTION)
    code = clients.error_code(getattr(api.ssm, snake(operation)), **parameters)
    assert code in (None, "InvalidFilterKey")


@pytest.mark.parametrize("signal", model.SSM.shape_for("SignalType").enum)
def test_each_signal_is_taken_or_refused_by_name(api: World, signal: str) -> None:
    paused = api.make(Made.PAUSED)
    code = clients.error_code(api.ssm.send_automation_signal, AutomationExecutionId=paused, SignalType=signal)
    assert code == (None if signal == "Resume" else "InvalidAutomationSignalException")
