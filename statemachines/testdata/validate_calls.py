"""Checks calls that state machines make against the models that AWS publishes in botocore.

Reads a JSON list of [resource, arguments] and prints a line for each fault.
"""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

models = {}
for resource, arguments in json.load(sys.stdin):
    service, action = re.match(r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)", resource).groups()
    if service not in models:
        models[service] = botocore.session.get_session().get_service_model(service)
    operation = models[service].operation_model(action[0].upper() + action[1:])
    report = ParamValidator().validate(arguments, operation.input_shape)
    if report.has_errors():
        print(f"{resource}: {report.generate_report()}")
