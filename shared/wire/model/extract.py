"""Writes ssm.json: what SSM's own model says of the requests we answer.

    pip download --no-deps botocore && python3 extract.py botocore-*.whl > ssm.json

The model is botocore's (Apache License 2.0); documentation and responses are left out.
"""

import gzip
import json
import sys
import zipfile

OPERATIONS = """
    SendCommand CancelCommand ListCommands ListCommandInvocations GetCommandInvocation
    StartAutomationExecution StopAutomationExecution SendAutomationSignal GetAutomationExecution
    DescribeAutomationExecutions DescribeAutomationStepExecutions
""".split()
KEPT = ("type", "min", "max", "pattern", "enum", "required")


def shape_of(name, model, shapes):
    """Takes a shape and all it consists of."""
    if name in shapes:
        return
    shape = model["shapes"][name]
    kept = shapes[name] = {key: shape[key] for key in KEPT if key in shape}
    if "member" in shape:
        kept["member"] = shape["member"]["shape"]
    if "key" in shape:
        kept["key"], kept["value"] = shape["key"]["shape"], shape["value"]["shape"]
    if "members" in shape:
        kept["members"] = [[member, of["shape"]] for member, of in shape["members"].items()]
    for inner in [kept.get("member"), kept.get("key"), kept.get("value"), *(of for _, of in kept.get("members", []))]:
        if inner:
            shape_of(inner, model, shapes)


def widen(shapes):
    """Lets a runbook's parameters be what the model does not know: none at all, lists of any number of nodes, and empty
    texts, which published runbooks ask for (`allowedPattern: ^$|…`)."""
    value = {**shapes["AutomationParameterValue"]}
    del value["min"]
    values = {**shapes["AutomationParameterValueList"], "member": "RunbookParameterValue"}
    del values["max"]
    parameters = {**shapes["AutomationParameterMap"], "value": "RunbookParameterValueList"}
    del parameters["min"]
    shapes |= {"RunbookParameterValue": value, "RunbookParameterValueList": values, "RunbookParameterMap": parameters}
    start = shapes["StartAutomationExecutionRequest"]
    start["members"] = [
        [name, "RunbookParameterMap" if name == "Parameters" else of] for name, of in start["members"]
    ]


def main(wheel):
    packed = zipfile.ZipFile(wheel).read("botocore/data/ssm/2014-11-06/service-2.json.gz")
    model = json.loads(gzip.decompress(packed))
    shapes, operations = {}, {}
    for operation in OPERATIONS:
        operations[operation] = model["operations"][operation]["input"]["shape"]
        shape_of(operations[operation], model, shapes)
    widen(shapes)
    lines = [f"  {json.dumps(name)}: {json.dumps(shapes[name])}" for name in sorted(shapes)]
    print(f'{{"operations": {json.dumps(operations)},\n"shapes": {{\n' + ",\n".join(lines) + "\n}}")


main(sys.argv[1])
