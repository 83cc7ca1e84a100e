"""What a command and an execution look like, from sending them to their end."""

import pytest
from botocore.exceptions import ClientError, WaiterError

import clients
from world import BROKEN, HANGING, HYBRID, SLOW, TALKATIVE, UNREACHABLE, WELL, Made, World, eventually

BOTH = pytest.mark.parametrize("endpoint", ["api", "aws"])


@BOTH
def test_a_command_ends_differently_on_different_nodes(worlds: dict[str, World], endpoint: str) -> None:
    world = worlds[endpoint]
    command = world.send(
        WELL,
        BROKEN,
        HANGING,
        UNREACHABLE,
        HYBRID,
        MaxErrors="5",
        Parameters={"commands": ["echo hello"], "executionTimeout": ["60"]},
    )
    ended = world.finished(command)
    assert (ended["StatusDetails"], ended["TargetCount"], ended["CompletedCount"]) == ("Incomplete", 5, 5)
    assert ended["ErrorCount"] == 2, "one failed, one was too slow; one that nothing reached is no error"

    found = world.ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"]
    details = {one["InstanceId"]: one["StatusDetails"] for one in found}
    assert details == {
        WELL: "Success",
        BROKEN: "Failed",
        HANGING: "ExecutionTimedOut",
        UNREACHABLE: "Undeliverable",
        HYBRID: "Success",
    }
    plugins = {one["InstanceId"]: one["CommandPlugins"] for one in found}
    assert [plugin["Output"] for plugin in plugins[WELL]] == ["hello\n"]
    assert [plugin["ResponseCode"] for plugin in plugins[BROKEN]] == [17]

    broken = world.ssm.get_command_invocation(CommandId=command, InstanceId=BROKEN)
    assert broken["ResponseCode"] == 17
    assert "no space left on /var" in broken["StandardErrorContent"]


@BOTH
def test_what_a_node_says_arrives_letter_by_letter(worlds: dict[str, World], endpoint: str) -> None:
    world = worlds[endpoint]
    command = world.send(TALKATIVE)
    world.finished(command)
    said = world.ssm.get_command_invocation(CommandId=command, InstanceId=TALKATIVE)["StandardOutputContent"]
    assert said == 'talkative says äöü € 𝄞 "quoted" and goes on'


@BOTH
def test_a_command_to_tags_finds_its_nodes(worlds: dict[str, World], endpoint: str) -> None:
    world = worlds[endpoint]
    sent = world.ssm.send_command(
        DocumentName="AWS-RunShellScript",
        Targets=[{"Key": "tag:Role", "Values": ["web"]}],
        Parameters={"commands": ["uptime"]},
        MaxConcurrency="100%",
    )["Command"]
    assert sent["InstanceIds"] == []
    ended = world.finished(sent["CommandId"])
    assert (ended["Status"], ended["TargetCount"]) == ("Success", 12)


@BOTH
def test_a_cancelled_command_ends_cancelled(worlds: dict[str, World], endpoint: str) -> None:
    world = worlds[endpoint]
    command = world.send(SLOW)
    # Too early, and SSM does not know its own command yet.
    eventually(lambda: world.ssm.cancel_command(CommandId=command), "a cancel")
    assert world.finished(command)["StatusDetails"] == "Cancelled"


@BOTH
def test_the_waiter_waits_for_success_and_gives_up_on_failure(
    worlds: dict[str, World], endpoint: str
) -> None:
    world = worlds[endpoint]
    waiter = world.ssm.get_waiter("command_executed")
    patience = {"Delay": 0.05, "MaxAttempts": 400}
    waiter.wait(CommandId=world.send(WELL), InstanceId=WELL, WaiterConfig=patience)
    with pytest.raises(WaiterError, match='matched expected path: "Failed"'):
        waiter.wait(CommandId=world.send(BROKEN), InstanceId=BROKEN, WaiterConfig=patience)


def test_an_execution_tells_its_steps_and_its_outputs(api: World) -> None:
    execution = api.start("compat-patrol", Parameters={"Role": ["web"]})
    ended = api.execution(execution, "Success")
    assert ended["DocumentName"] == "compat-patrol"
    assert ended["Parameters"]["Role"] == ["web"]
    assert ended["Outputs"]["look.SuccessPercentage"] == ["100"]
    assert len(ended["Outputs"]["look.SuccessInstanceIds"]) == 12
    steps = {step["StepName"]: step for step in ended["StepExecutions"]}
    assert [name for name, step in steps.items() if step["StepStatus"] == "Success"] == [
        "look",
        "decide",
        "rest",
    ]
    assert steps["look"]["OnFailure"] == "Continue"
    assert steps["look"]["MaxAttempts"] == 1
    assert steps["look"]["TimeoutSeconds"] == 7200
    assert steps["look"]["NextStep"] == "decide"
    assert set(steps["decide"]["ValidNextSteps"]) == {"lookAgain", "rest"}
    assert steps["rest"]["IsEnd"] is True
    assert steps["look"]["Inputs"]["DocumentName"] == '"AWS-RunShellScript"', (
        "a JSON-encoded value, as SSM has it"
    )


def test_a_failed_step_says_why(api: World) -> None:
    execution = api.start("compat-patrol", Parameters={"Role": ["broken"]})
    api.execution(execution, "Success", "Failed")
    found = api.ssm.describe_automation_step_executions(
        AutomationExecutionId=execution, Filters=[{"Key": "StepName", "Values": ["look", "lookAgain"]}]
    )["StepExecutions"]
    assert {step["StepName"]: step["StepStatus"] for step in found} == {
        "look": "Failed",
        "lookAgain": "Failed",
    }
    for step in found:
        assert step["FailureMessage"]
        assert step["FailureDetails"]["FailureType"]
        if step["StepName"] == "lookAgain":
            assert step["IsCritical"] is False


def test_people_let_an_execution_go_on(api: World) -> None:
    execution = api.make(Made.ASKING)
    api.ssm.send_automation_signal(
        AutomationExecutionId=execution, SignalType="Approve", Payload={"Comment": ["go on"]}
    )
    api.execution(execution, "Success")


def test_people_refuse_an_execution(api: World) -> None:
    execution = api.make(Made.ASKING)
    api.ssm.send_automation_signal(AutomationExecutionId=execution, SignalType="Reject")
    api.execution(execution, "Failed", "Rejected")


@pytest.mark.parametrize(("kind", "status"), [("Cancel", "Cancelled"), ("Complete", "Success")])
def test_a_stopped_execution_ends(api: World, kind: str, status: str) -> None:
    execution = api.make(Made.PAUSED)
    api.ssm.stop_automation_execution(AutomationExecutionId=execution, Type=kind)
    api.execution(execution, status)
    again = clients.error_code(api.ssm.stop_automation_execution, AutomationExecutionId=execution, Type=kind)
    assert again == "InvalidAutomationStatusUpdateException"


@BOTH
def test_each_answer_names_its_request(worlds: dict[str, World], endpoint: str) -> None:
    """What people quote when they ask what became of a call."""
    ssm = worlds[endpoint].ssm
    ids = [ssm.list_commands(MaxResults=1)["ResponseMetadata"].get("RequestId") for _ in range(2)]
    with pytest.raises(ClientError) as refused:
        ssm.cancel_command(CommandId=NOBODY)
    ids.append(refused.value.response["ResponseMetadata"].get("RequestId"))
    assert all(ids)
    assert len(set(ids)) == 3


NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_automation_execution", {}),
        ("describe_automation_step_executions", {}),
        ("stop_automation_execution", {}),
        ("send_automation_signal", {"SignalType": "Resume"}),
    ],
)
def test_an_unknown_execution_is_told_by_name(api: World, operation: str, parameters: dict[str, str]) -> None:
    code = clients.error_code(getattr(api.ssm, operation), AutomationExecutionId=NOBODY, **parameters)
    assert code == "AutomationExecutionNotFoundException"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"DocumentName": "no-such-runbook"}, "AutomationDefinitionNotFoundException"),
        (
            {"DocumentName": "compat-patrol", "DocumentVersion": "99"},
            "AutomationDefinitionVersionNotFoundException",
        ),
        (
            {"DocumentName": "compat-patrol", "Parameters": {"Unheard": ["of"]}},
            "InvalidAutomationExecutionParametersException",
        ),
        (
            {"DocumentName": "compat-patrol", "Parameters": {"Role": ["a", "b"]}},
            "InvalidAutomationExecutionParametersException",
        ),
    ],
)
def test_a_start_that_cannot_be_is_refused_by_name(
    api: World, parameters: dict[str, object], code: str
) -> None:
    assert clients.error_code(api.ssm.start_automation_execution, **parameters) == code
