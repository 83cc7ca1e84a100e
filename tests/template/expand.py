"""Expands a SAM template as CloudFormation does when it deploys: `expand.py TEMPLATE` writes JSON to standard output.

Code that lies here is put where `sam deploy` would have uploaded it to: the transform knows no files.
"""

import json
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """AWS's managed policies by name: none is asked for, since each function has a role of its own."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    template = yaml_parse(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://uploaded/code"
    expanded = transform(template, {}, NoManagedPolicies())
    json.dump(expanded, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
