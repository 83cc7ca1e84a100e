"""What the tests' calls are about: nodes, commands and executions in the states that the calls need."""

import enum
import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

WELL = "i-0000000000000aaaa"
BROKEN = "i-0000000000000bbbb"
HANGING = "i-0000000000000cccc"
UNREACHABLE = "i-0000000000000dddd"
SLOW = "i-0000000000000eeee"
TALKATIVE = "i-00000000"
HYBRID = "mi-0123456789abcdef0"

# What has ended, as CommandInvocationStatus and CommandStatus say it.
ENDED = {"Success", "Cancelled", "TimedOut", "Failed"}
EXECUTION_ENDED = {"Success", "Cancelled", "TimedOut", "Failed"}

PATIENCE_SECONDS = 30


class Made(enum.Enum):
    """What stands in a call's parameters for something that is made when the call is."""

    COMMAND = enum.auto()  # the id of a command that has succeeded on WELL
    RUNNING = enum.auto()  # of one that runs on SLOW
    EXECUTION = enum.auto()  # of an execution that has succeeded
    PAUSED = enum.auto()  # of one that waits to be resumed
    ASKING = enum.auto()  # of one that waits for an approval
    HASH = enum.auto()  # the SHA-256 of AWS-RunShellScript
    UUID = enum.auto()  # a new one
    TOKEN = enum.auto()  # where the second page begins of what the call's other parameters list


def eventually(probe: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """What `probe` gives, as soon as that is something. What fails in it is tried again, too."""
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    pause = 0.01
    while True:
        try:
            if found := probe():
                return found
        except (AssertionError, ClientError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; last: {last}") from last
        time.sleep(pause)
        pause = min(2 * pause, 0.25)


@dataclass
class World:
    """Things of one endpoint: `ssm` is a boto3 client for it, `cloud` one for the embedded SSM."""

    name: str
    url: str
    ssm: Any
    cloud: Any
    _kept: dict[Made, str] = field(default_factory=dict)

    def send(self, *nodes: str, commands: tuple[str, ...] = ("uptime",), **parameters: Any) -> str:
        """Sends a shell script; its id."""
        given = {
            "InstanceIds": list(nodes),
            "DocumentName": "AWS-RunShellScript",
            "Parameters": {"commands": list(commands)},
        }
        return self.ssm.send_command(**given | parameters)["Command"]["CommandId"]

    def finished(self, command: str) -> dict[str, Any]:
        """The command, once it has ended on all nodes and this endpoint shows that."""

        def look() -> dict[str, Any] | None:
            found = self.ssm.list_commands(CommandId=command)["Commands"]
            ended = bool(found) and found[0]["Status"] in ENDED
            return found[0] if ended and found[0]["CompletedCount"] == found[0]["TargetCount"] else None

        return eventually(look, f"the end of {command} at {self.name}")

    def start(self, document: str, **parameters: Any) -> str:
        return self.ssm.start_automation_execution(DocumentName=document, **parameters)[
            "AutomationExecutionId"
        ]

    def execution(self, execution: str, *statuses: str) -> dict[str, Any]:
        """The execution, once it has one of these statuses."""

        def look() -> dict[str, Any] | None:
            found = self.ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
            return found if found["AutomationExecutionStatus"] in statuses else None

        return eventually(look, f"{execution} becoming {' or '.join(statuses)}")

    def at_step(self, execution: str, step: str) -> None:
        """Waits until an execution waits at a step."""

        def look() -> bool:
            found = self.ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
            steps = {one["StepName"]: one["StepStatus"] for one in found["StepExecutions"]}
            return steps.get(step) == "Waiting"

        eventually(look, f"{execution} waiting at {step}")

    def make(self, what: Made) -> str:
        if what in (Made.COMMAND, Made.EXECUTION, Made.HASH):
            if what not in self._kept:
                self._kept[what] = self._make(what)
            return self._kept[what]
        return self._make(what)

    def _make(self, what: Made) -> str:
        match what:
            case Made.COMMAND:
                command = self.send(WELL, Comment="for many calls")
                assert self.finished(command)["Status"] == "Success"
                return command
            case Made.RUNNING:
                command = self.send(SLOW)
                # Too early, and SSM does not know its own command.
                eventually(
                    lambda: self.ssm.list_command_invocations(CommandId=command)["CommandInvocations"],
                    command,
                )
                return command
            case Made.EXECUTION:
                execution = self.start("compat-patrol", Parameters={"Role": ["one"]})
                self.execution(execution, "Success")
                return execution
            case Made.PAUSED:
                execution = self.start("compat-permit")
                self.at_step(execution, "wait")
                return execution
            case Made.ASKING:
                execution = self.make(Made.PAUSED)
                self.ssm.send_automation_signal(
                    AutomationExecutionId=execution, SignalType="Resume", Payload={"StepName": ["wait"]}
                )
                self.at_step(execution, "permit")
                return execution
            case Made.HASH:
                content = self.cloud.get_document(Name="AWS-RunShellScript")["Content"]
                return hashlib.sha256(content.encode()).hexdigest()
            case Made.UUID:
                return str(uuid.uuid4())
            case Made.TOKEN:
                raise ValueError("a token belongs to a call")

    def resolve(self, operation: str, template: dict[str, Any]) -> dict[str, Any]:
        """A call's parameters, with all that stands for something made."""
        rest = {name: self._resolved(value) for name, value in template.items() if value is not Made.TOKEN}
        if len(rest) == len(template):
            return rest
        # At least two pages of whatever it is.
        list_page = getattr(self.ssm, snake(operation))
        return rest | {"NextToken": eventually(lambda: list_page(**rest).get("NextToken"), "a second page")}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Made):
            return self.make(value)
        if isinstance(value, dict):
            return {key: self._resolved(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self._resolved(member) for member in value]
        return value


def snake(operation: str) -> str:
    return xform_name(operation)
