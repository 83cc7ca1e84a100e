"""The aws CLI as people run it: a process, its tables and texts."""

import json
import os
import subprocess
import sys

import pytest

import clients
from world import WELL, World

BOTH = pytest.mark.parametrize("endpoint", ["api", "aws"])


def aws_cli(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | clients.ENVIRONMENT | {"AWS_ENDPOINT_URL": world.url}
    return subprocess.run(
        [sys.executable, "-m", "awscli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@BOTH
def test_a_script_is_sent_waited_for_and_read(worlds: dict[str, World], endpoint: str) -> None:
    world = worlds[endpoint]
    sent = aws_cli(
        world,
        *("ssm", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", WELL),
        *(
            "--parameters",
            'commands=["echo from the shell"]',
            "--query",
            "Command.CommandId",
            "--output",
            "text",
        ),
    )
    assert sent.returncode == 0, sent.stderr
    command = sent.stdout.strip()
    world.finished(command)
    which = ["--command-id", command, "--instance-id", WELL]
    waited = aws_cli(world, "ssm", "wait", "command-executed", *which)
    assert waited.returncode == 0, waited.stderr
    read = aws_cli(world, "ssm", "get-command-invocation", *which, "--output", "json")
    assert json.loads(read.stdout)["StandardOutputContent"] == "from the shell\n"


def test_a_runbook_is_started(api: World) -> None:
    started = aws_cli(
        api,
        "ssm",
        "start-automation-execution",
        "--document-name",
        "compat-patrol",
        "--parameters",
        "Role=one",
    )
    assert started.returncode == 0, started.stderr
    api.execution(json.loads(started.stdout)["AutomationExecutionId"], "Success")


def test_a_mistake_is_told_as_aws_tells_it(api: World) -> None:
    told = aws_cli(api, "ssm", "list-command-invocations", "--filters", "key=ExecutionStage,value=Complete")
    assert told.returncode == 255 or told.returncode == 254
    assert "(InvalidFilterKey) when calling the ListCommandInvocations operation" in told.stderr


@BOTH
@pytest.mark.parametrize("output", ["text", "table", "json"])
def test_lists_have_every_form_of_output(
    worlds: dict[str, World], clis: dict[str, clients.Cli], endpoint: str, output: str
) -> None:
    world = worlds[endpoint]
    command = world.send(WELL, Comment="for people")
    world.finished(command)
    for what in ["list-commands", "list-command-invocations"]:
        result = clis[endpoint].run("ssm", what, "--command-id", command, output=output)
        assert result.status == 0, result.stderr
        assert "for people" in result.stdout
        assert command in result.stdout


@pytest.mark.parametrize("output", ["text", "table"])
def test_executions_have_every_form_of_output(api: World, clis: dict[str, clients.Cli], output: str) -> None:
    execution = api.start("compat-patrol", Parameters={"Role": ["one"]})
    api.execution(execution, "Success")
    for arguments in [
        ["get-automation-execution", "--automation-execution-id", execution],
        ["describe-automation-step-executions", "--automation-execution-id", execution],
        ["describe-automation-executions", "--filters", f"Key=ExecutionId,Values={execution}"],
    ]:
        result = clis["api"].run("ssm", *arguments, output=output)
        assert result.status == 0, result.stderr
        assert "Success" in result.stdout


def test_the_cli_pages_by_itself(api: World, clis: dict[str, clients.Cli]) -> None:
    sent = {api.send(WELL, Comment="one of three") for _ in range(3)}
    for command in sent:
        api.finished(command)
    result = clis["api"].run(
        "ssm", "list-commands", "--instance-id", WELL, "--page-size", "1", "--max-items", "1000"
    )
    listed = [one["CommandId"] for one in result.json["Commands"]]
    assert sent <= set(listed)
    assert len(listed) == len(set(listed))
