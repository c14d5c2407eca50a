"""Validates what `rampway openapi` prints, and tries the validator on broken copies of it."""

import copy
import json
import subprocess
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator


def described(*arguments):
    done = subprocess.run([sys.argv[1], "openapi", *arguments], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def errors(document):
    return list(OpenAPIV31SpecValidator(document).iter_errors())


def without_responses(document):
    del document["paths"]["/health"]["get"]["responses"]["200"]["description"]


def dangling_reference(document):
    del document["components"]["schemas"]["SmartToken"]


def doubled_operation_id(document):
    document["paths"]["/health"]["get"]["operationId"] = "translate"


def undeclared_path_parameter(document):
    del document["paths"]["/sign/{videoId}"]["parameters"]


def wrong_type(document):
    document["components"]["schemas"]["Domain"]["type"] = "text"


BREAKS = [without_responses, dangling_reference, doubled_operation_id, undeclared_path_parameter, wrong_type]

stacks = {
    "everything": [],
    "the authority": ["--parameter", "Sides=authority", "--parameter", "BrightcoveAccount="],
    "the customer": ["--parameter", "Sides=customer", "--parameter", "BrightcoveAccount="],
    "uploads": ["--parameter", "Sides=none"],
}
for name, arguments in stacks.items():
    document = described(*arguments)
    assert document["openapi"].startswith("3.1."), document["openapi"]
    found = errors(document)
    assert not found, f"{name}: {found[0].message} at {list(found[0].absolute_path)}"

url = "https://api.example/Prod"
assert described("--url", url)["servers"] == [{"url": url}]

document = described()
for break_it in BREAKS:
    broken = copy.deepcopy(document)
    break_it(broken)
    try:
        found = errors(broken)
    except Exception as error:  # A reference that leads nowhere ends the validator itself.
        found = [error]
    assert found, f"{break_it.__name__} is not noticed"
operations = sum(method in item for item in document["paths"].values() for method in ("get", "post", "options"))
print(f"openapi: {len(document['paths'])} paths with {operations} operations are valid, {len(BREAKS)} broken documents are not")
