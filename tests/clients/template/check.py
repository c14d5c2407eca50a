"""Four judges of template.yaml: sam, the SAM transform, cfn-lint on what it makes, and checkov.

`sam validate --lint` sees the SAM file, so it knows SAM's own properties. What SAM makes of the file is what
CloudFormation gets, so undefined references, wrong run-times and misspelt permissions show only there.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

logging.disable(logging.WARNING)  # samtranslator tells of the feature flags and metrics it lacks.

# No account, no network, no word home. samtranslator asks for a region as it is imported.
os.environ.update(
    AWS_DEFAULT_REGION="eu-west-1",
    AWS_ACCESS_KEY_ID="none",
    AWS_SECRET_ACCESS_KEY="none",
    AWS_EC2_METADATA_DISABLED="true",
    SAM_CLI_TELEMETRY="0",
)

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]

# What checkov asks for and the template leaves out, with the resources it may be missing on, and why.
EXCEPTIONS = {
    "CKV_AWS_33": ("VaultKey", "the wildcard principal is bound to this account, through DynamoDB: AWS's own pattern"),
    "CKV_AWS_73": (r"UploadApi\w*Stage", "a trace keeps whole addresses, and those of uploads hold tokens"),
    "CKV_AWS_115": (r"\w+Function", "a reserved concurrency takes from the account's; the API's throttling bounds the load"),
    "CKV_AWS_116": (r"\w+Function", "only schedules call asynchronously: the next run does the work, an alarm tells"),
    "CKV_AWS_117": (r"\w+Function", "a VPC would add a NAT gateway to reach what has public, signed endpoints anyway"),
    "CKV_AWS_120": (r"\w+Stage", "a cache of token and translation answers is what must not be"),
    "CKV_AWS_173": (r"\w+Function", "the environment holds names and no secret"),
}


class Refused(Exception):
    """A judge says no."""


def command(tool, *arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.returncode, done.stdout + done.stderr


def sam_validate(tools, template):
    code, said = command(tools / "sam/bin/sam", "validate", "--lint", "--template-file", template)
    if code:
        raise Refused(said)


def transformed(template):
    """What CloudFormation gets. A made-up S3 address stands for each function's code."""
    parsed = yaml_parse(template.read_text())
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://code-of-the-functions/code.zip"
    defaults = {name: parameter["Default"] for name, parameter in parsed["Parameters"].items()}

    class NoManagedPolicies:
        def load(self):
            return {}

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # It prints which feature flags it does not have.
            return transform(parsed, defaults, NoManagedPolicies())
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from error


def cfn_lint(tools, template):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as made:
        json.dump(transformed(template), made)
        made.flush()
        # W1028: SAM repeats a resource's condition inside it, which is so never false there.
        code, said = command(tools / "sam/bin/cfn-lint", "--ignore-checks", "W1028", "--", made.name)
    if code:
        raise Refused(said)


def checkov(tools, template):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.json")
        made.write_text(json.dumps(transformed(template), indent=1))
        _, said = command(
            tools / "checkov/bin/checkov",
            *("--file", made, "--framework", "cloudformation", "--skip-download", "--quiet", "--output", "json"),
        )
    try:
        report = json.loads(said[said.index("{") : said.rindex("}") + 1])
        results, passed = report["results"], report["summary"]["passed"]
        if report["summary"]["parsing_errors"] or not passed:
            raise ValueError("nothing was checked")
    except (ValueError, KeyError) as error:
        raise Refused(f"{error}: {said}") from error
    unused = dict(EXCEPTIONS)
    refused = []
    for failure in results["failed_checks"]:
        code, resource = failure["check_id"], failure["resource"].split(".")[-1]
        pattern, _ = EXCEPTIONS.get(code, ("", ""))
        if re.fullmatch(pattern, resource):
            unused.pop(code, None)
        else:
            refused.append(f"{code} {resource}: {failure['check_name']}")
    refused += [f"{code}: nothing needs this exception any more" for code in unused]
    if refused:
        raise Refused("\n".join(refused))


JUDGES = [sam_validate, cfn_lint, checkov]

# A line changed, the judge that must see it, and a word of what it must say.
BROKEN = [
    (sam_validate, "MemorySize: 512", "MemroySize: 512", "MemroySize"),
    (sam_validate, "Handler: bootstrap", "Handlr: bootstrap", "Handlr"),
    (cfn_lint, "Runtime: provided.al2023", "Runtime: provided.al2033", "provided.al2033"),
    (cfn_lint, "DOMAINS_TABLE: !Ref DomainsTable", "DOMAINS_TABLE: !Ref DomainTable", "DomainTable"),
    (cfn_lint, "dynamodb:UpdateItem", "dynamodb:UpdateItems", "updateitems"),
    (cfn_lint, "Timeout: 28", "Timeout: 901", "901"),
    (cfn_lint, "KeyType: HASH", "KeyType: HUSH", "HUSH"),
    (checkov, "EnableKeyRotation: true", "EnableKeyRotation: false", "CKV_AWS_7 "),
    (checkov, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", "CKV_AWS_28 "),
]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tools", type=Path, required=True, help="the folder of the tools' environments")
    tools = options.parse_args().tools.resolve()
    template = ROOT / "template.yaml"
    for judge in JUDGES:
        judge(tools, template)
        print(f"ok      {judge.__name__}")
    for judge, right, wrong, word in BROKEN:
        text = template.read_text()
        if right not in text:
            sys.exit(f"FAILED  {right!r} is no longer in the template: break something else")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as broken:
            broken.write(text.replace(right, wrong, 1))
            broken.flush()
            try:
                judge(tools, Path(broken.name))
            except Refused as refused:
                # Refused for the change, not because the judge could not run.
                if word.lower() not in str(refused).lower():
                    sys.exit(f"FAILED  {judge.__name__} refuses {wrong!r} for something else:\n{refused}")
                print(f"refused {judge.__name__}: {wrong.strip()}")
            else:
                sys.exit(f"FAILED  {judge.__name__} accepts {wrong!r}")
    print(f"{len(JUDGES) + len(BROKEN)} passed, 0 failed")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"FAILED  {refused}")
