"""What else the aws port serves: DynamoDB, SNS, SQS, EventBridge, and SSM's documents and nodes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import clients
from local import Local
from world import WELL, World, eventually


@pytest.fixture
def client(running: Local) -> Callable[[str], Any]:
    return lambda service: clients.boto3_client(service, running.aws)


def test_dynamodb_keeps_items(client: Callable[[str], Any]) -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="compat",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    assert "compat" in dynamodb.list_tables()["TableNames"]
    item = {"pk": {"S": "a"}, "sk": {"N": "1"}, "words": {"SS": ["x", "y"]}, "bytes": {"B": b"\x00\xff"}}
    dynamodb.put_item(TableName="compat", Item=item)
    dynamodb.put_item(TableName="compat", Item={"pk": {"S": "a"}, "sk": {"N": "2"}})
    found = dynamodb.get_item(TableName="compat", Key={"pk": {"S": "a"}, "sk": {"N": "1"}})["Item"]
    assert found["bytes"] == item["bytes"]
    assert sorted(found["words"]["SS"]) == ["x", "y"]
    found = dynamodb.query(
        TableName="compat", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "a"}}
    )
    assert [one["sk"]["N"] for one in found["Items"]] == ["1", "2"]
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.get_item(TableName="no-such-table", Key={"pk": {"S": "a"}})


def test_sqs_hands_messages_over(client: Callable[[str], Any]) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="compat")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello äöü")
    message = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message")[0]
    assert message["Body"] == "hello äöü"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_sns_hands_messages_to_queues(client: Callable[[str], Any]) -> None:
    sns, sqs = client("sns"), client("sqs")
    url = sqs.create_queue(QueueName="compat-listener")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="compat")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    published = sns.publish(TopicArn=topic, Subject="compat", Message="hello äöü")["MessageId"]
    message = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message")[0]
    envelope = json.loads(message["Body"])
    assert (envelope["MessageId"], envelope["Message"]) == (published, "hello äöü")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{topic}-no-such", Message="hello")


def test_eventbridge_takes_events(client: Callable[[str], Any]) -> None:
    events = client("events")
    entry = {"Source": "compat", "DetailType": "Greeting", "Detail": json.dumps({"hello": "world"})}
    taken = events.put_events(Entries=[entry])
    assert taken["FailedEntryCount"] == 0
    assert taken["Entries"][0]["EventId"]


def test_documents_are_created_and_run(aws: World) -> None:
    content = json.dumps(
        {
            "schemaVersion": "2.2",
            "description": "Says hello.",
            "parameters": {"commands": {"type": "StringList", "default": ["echo hello"]}},
            "mainSteps": [
                {"name": "greet", "action": "aws:runShellScript", "inputs": {"runCommand": ["echo hello"]}},
                {"name": "leave", "action": "aws:runShellScript", "inputs": {"runCommand": ["echo bye"]}},
            ],
        }
    )
    name = "compat-greeting"
    created = aws.ssm.create_document(
        Name=name, Content=content, DocumentType="Command", DocumentFormat="JSON"
    )
    assert created["DocumentDescription"]["Name"] == name
    assert json.loads(aws.ssm.get_document(Name=name)["Content"]) == json.loads(content)
    again = clients.error_code(aws.ssm.create_document, Name=name, Content=content, DocumentType="Command")
    assert again == "DocumentAlreadyExists"
    command = aws.send(WELL, DocumentName=name)
    assert aws.finished(command)["Status"] == "Success"
    for plugin in ["greet", "leave"]:
        found = aws.ssm.get_command_invocation(CommandId=command, InstanceId=WELL, PluginName=plugin)
        assert found["PluginName"] == plugin


def test_documents_have_versions_and_an_end(aws: World) -> None:
    name = "compat-versions"
    content = aws.ssm.get_document(Name="AWS-RunShellScript")["Content"]
    aws.ssm.create_document(Name=name, Content=content, DocumentType="Command", DocumentFormat="JSON")
    newer = json.dumps(json.loads(content) | {"description": "Newer."})
    updated = aws.ssm.update_document(Name=name, Content=newer, DocumentVersion="$LATEST")
    assert updated["DocumentDescription"]["DocumentVersion"] == "2"
    aws.ssm.update_document_default_version(Name=name, DocumentVersion="2")
    described = aws.ssm.describe_document(Name=name)["Document"]
    assert (described["DefaultVersion"], described["Description"]) == ("2", "Newer.")
    pages = aws.ssm.get_paginator("list_documents").paginate(Filters=[{"Key": "Owner", "Values": ["Self"]}])
    assert name in [one["Name"] for page in pages for one in page["DocumentIdentifiers"]]
    aws.ssm.delete_document(Name=name)
    assert clients.error_code(aws.ssm.describe_document, Name=name) == "InvalidDocument"


def test_nodes_are_described(aws: World) -> None:
    pages = aws.ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 10})
    nodes = {node["InstanceId"]: node for page in pages for node in page["InstanceInformationList"]}
    assert len(nodes) == 29
    assert nodes[WELL]["PingStatus"] == "Online"
    assert {node["PlatformType"] for node in nodes.values()} == {"Linux", "Windows"}
