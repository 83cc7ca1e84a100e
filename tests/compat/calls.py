"""The calls that use every parameter of every operation.

Each is made by boto3 and by the aws CLI; `refused` is the error code of those that are refused on purpose. A
runbook's own steps say whom it is for and how many at once, so that what StartAutomationExecution can say
about that is refused and never ignored.
"""

from dataclasses import dataclass
from typing import Any

from world import SLOW, WELL, Made

LONG_AGO, FAR_AHEAD = "2018-07-07T00:00:00Z", "2100-01-01T00:00:00Z"
ALARMS = {"IgnorePollAlarmFailure": True, "Alarms": [{"Name": "too-many-errors"}]}
ROLE = "arn:aws:iam::123456789012:role/notifications"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:compat"


@dataclass(frozen=True)
class Call:
    """`parameters` may hold members of `Made`."""

    name: str
    operation: str
    parameters: dict[str, Any]
    refused: str | None = None


def _start(name: str, refused: str | None = "ValidationException", **parameters: Any) -> Call:
    return Call(name, "StartAutomationExecution", {"DocumentName": "compat-patrol"} | parameters, refused)


CALLS = [
    Call(
        "a send to nodes with all there is",
        "SendCommand",
        {
            "InstanceIds": [WELL],
            "DocumentName": "AWS-RunShellScript",
            "DocumentVersion": "$DEFAULT",
            "DocumentHash": Made.HASH,
            "DocumentHashType": "Sha256",
            "TimeoutSeconds": 600,
            "Comment": "with all there is: äöü",
            "Parameters": {"commands": ["echo hello", "uptime"], "executionTimeout": ["300"]},
            "OutputS3Region": "eu-central-1",
            "OutputS3BucketName": "outputs-of-compat",
            "OutputS3KeyPrefix": "some/where",
            "MaxConcurrency": "50%",
            "MaxErrors": "1",
            "ServiceRoleArn": ROLE,
            "NotificationConfig": {
                "NotificationArn": TOPIC,
                "NotificationEvents": ["Success", "Failed"],
                "NotificationType": "Command",
            },
            "CloudWatchOutputConfig": {
                "CloudWatchLogGroupName": "/compat/outputs",
                "CloudWatchOutputEnabled": True,
            },
            "AlarmConfiguration": ALARMS,
        },
    ),
    Call(
        "a send to tags",
        "SendCommand",
        {
            "Targets": [
                {"Key": "tag:Role", "Values": ["web", "batch"]},
                {"Key": "tag:Env", "Values": ["prod"]},
            ],
            "DocumentName": "AWS-RunShellScript",
            "Parameters": {"commands": ["uptime"]},
        },
    ),
    Call("a cancel of all", "CancelCommand", {"CommandId": Made.RUNNING}),
    Call("a cancel on a node", "CancelCommand", {"CommandId": Made.RUNNING, "InstanceIds": [SLOW]}),
    Call(
        "commands by all filters",
        "ListCommands",
        {
            "CommandId": Made.COMMAND,
            "InstanceId": WELL,
            "MaxResults": 7,
            "Filters": [
                {"key": "InvokedAfter", "value": LONG_AGO},
                {"key": "InvokedBefore", "value": FAR_AHEAD},
                {"key": "Status", "value": "Success"},
                {"key": "ExecutionStage", "value": "Complete"},
                {"key": "DocumentName", "value": "AWS-RunShellScript"},
            ],
        },
    ),
    Call(
        "commands, page two", "ListCommands", {"InstanceId": WELL, "MaxResults": 1, "NextToken": Made.TOKEN}
    ),
    Call(
        "invocations by all filters",
        "ListCommandInvocations",
        {
            "CommandId": Made.COMMAND,
            "InstanceId": WELL,
            "MaxResults": 50,
            "Details": True,
            "Filters": [
                {"key": "InvokedAfter", "value": LONG_AGO},
                {"key": "InvokedBefore", "value": FAR_AHEAD},
                {"key": "Status", "value": "Success"},
                {"key": "DocumentName", "value": "AWS-RunShellScript"},
            ],
        },
    ),
    Call(
        "invocations have no stage",
        "ListCommandInvocations",
        {"Filters": [{"key": "ExecutionStage", "value": "Complete"}]},
        "InvalidFilterKey",
    ),
    Call(
        "invocations, page two",
        "ListCommandInvocations",
        {"InstanceId": WELL, "MaxResults": 1, "Details": False, "NextToken": Made.TOKEN},
    ),
    Call(
        "one invocation",
        "GetCommandInvocation",
        {"CommandId": Made.COMMAND, "InstanceId": WELL, "PluginName": "aws:runShellScript"},
    ),
    _start(
        "a start",
        refused=None,
        DocumentVersion="$DEFAULT",
        Parameters={"Role": ["one"], "Words": ["one", "two"]},
        ClientToken=Made.UUID,
        Mode="Auto",
    ),
    _start("an interactive start", Mode="Interactive"),
    _start(
        "a start for targets", TargetParameterName="Role", Targets=[{"Key": "tag:Role", "Values": ["web"]}]
    ),
    _start("a start for mapped targets", TargetMaps=[{"Role": ["web"]}]),
    _start("a start, some at once", MaxConcurrency="10"),
    _start("a start up to errors", MaxErrors="10%"),
    _start("a start with tags", refused=None, Tags=[{"Key": "Team", "Value": "platform"}]),
    _start("a start under an alarm", AlarmConfiguration=ALARMS),
    _start(
        "a start for listed accounts",
        TargetLocationsURL="https://accounts.s3.eu-central-1.amazonaws.com/list.json",
    ),
    _start(
        "a start in other accounts",
        TargetLocations=[
            {
                "Accounts": ["123456789012"],
                "Regions": ["eu-central-1"],
                "TargetLocationMaxConcurrency": "1",
                "TargetLocationMaxErrors": "0",
                "ExecutionRoleName": "automation",
                "TargetLocationAlarmConfiguration": ALARMS,
                "IncludeChildOrganizationUnits": True,
                "ExcludeAccounts": ["210987654321"],
                "Targets": [{"Key": "tag:Role", "Values": ["web"]}],
                "TargetsMaxConcurrency": "1",
                "TargetsMaxErrors": "0",
            }
        ],
    ),
    Call("a stop", "StopAutomationExecution", {"AutomationExecutionId": Made.PAUSED, "Type": "Cancel"}),
    Call(
        "a completion", "StopAutomationExecution", {"AutomationExecutionId": Made.PAUSED, "Type": "Complete"}
    ),
    Call(
        "a resume",
        "SendAutomationSignal",
        {"AutomationExecutionId": Made.PAUSED, "SignalType": "Resume", "Payload": {"StepName": ["wait"]}},
    ),
    Call(
        "an approval",
        "SendAutomationSignal",
        {"AutomationExecutionId": Made.ASKING, "SignalType": "Approve", "Payload": {"Comment": ["go on"]}},
    ),
    Call(
        "a rejection",
        "SendAutomationSignal",
        {"AutomationExecutionId": Made.ASKING, "SignalType": "Reject", "Payload": {"Comment": ["not today"]}},
    ),
    Call(
        "a step cannot be started",
        "SendAutomationSignal",
        {"AutomationExecutionId": Made.PAUSED, "SignalType": "StartStep", "Payload": {"StepName": ["rest"]}},
        "InvalidAutomationSignalException",
    ),
    Call("an execution", "GetAutomationExecution", {"AutomationExecutionId": Made.EXECUTION}),
    Call("an execution at a pause", "GetAutomationExecution", {"AutomationExecutionId": Made.PAUSED}),
    Call(
        "executions by filters",
        "DescribeAutomationExecutions",
        {
            "Filters": [
                {"Key": "DocumentNamePrefix", "Values": ["compat-"]},
                {"Key": "ExecutionStatus", "Values": ["Success", "Failed"]},
                {"Key": "ExecutionId", "Values": [Made.EXECUTION]},
                {"Key": "StartTimeAfter", "Values": [LONG_AGO]},
                {"Key": "StartTimeBefore", "Values": [FAR_AHEAD]},
            ],
            "MaxResults": 50,
        },
    ),
    Call("executions, page two", "DescribeAutomationExecutions", {"MaxResults": 1, "NextToken": Made.TOKEN}),
    Call(
        "steps by filters",
        "DescribeAutomationStepExecutions",
        {
            "AutomationExecutionId": Made.EXECUTION,
            "Filters": [
                {"Key": "StepName", "Values": ["look", "rest"]},
                {"Key": "StepExecutionStatus", "Values": ["Success"]},
                {"Key": "Action", "Values": ["aws:runCommand"]},
                {"Key": "StartTimeAfter", "Values": [LONG_AGO]},
                {"Key": "StartTimeBefore", "Values": [FAR_AHEAD]},
            ],
            "MaxResults": 50,
            "ReverseOrder": True,
        },
    ),
    Call(
        "steps, page two",
        "DescribeAutomationStepExecutions",
        {
            "AutomationExecutionId": Made.EXECUTION,
            "MaxResults": 1,
            "ReverseOrder": False,
            "NextToken": Made.TOKEN,
        },
    ),
]
