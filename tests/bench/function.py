"""What starts of functions are compared with: a Python function on a custom runtime, with boto3 clients for the same services."""

import http.client
import os

import boto3

clients = [boto3.client(service) for service in ("dynamodb", "ssm", "sqs", "sns", "events")]

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("GET", "/2018-06-01/runtime/invocation/next")
connection.getresponse()
