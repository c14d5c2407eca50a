"""Checks template.yaml with sam, the SAM transform, cfn-lint and checkov.

`sam validate --lint` checks the SAM template, including SAM's own properties. cfn-lint and checkov
check the transformed template, which CloudFormation deploys: only there do undefined references,
wrong runtimes and misspelt permissions show.
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

logging.disable(logging.WARNING)  # samtranslator warns about missing feature flags and metrics.

# No account, no network, no telemetry. samtranslator needs a region when it is imported.
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

# The checkov rules that the template does not follow: a pattern of the resources, and the reason.
EXCEPTIONS = {
    "CKV_AWS_33": ("VaultKey", "the wildcard principal is restricted to this account and to DynamoDB, as AWS documents"),
    "CKV_AWS_73": (r"UploadApi\w*Stage", "traces record full URLs, and upload URLs contain tokens"),
    "CKV_AWS_115": (r"\w+Function", "reserved concurrency reduces the account's pool; the API's throttling bounds the load"),
    "CKV_AWS_116": (r"\w+Function", "only schedules invoke asynchronously: the next run repeats the work, and an alarm reports failures"),
    "CKV_AWS_117": (r"\w+Function", "a VPC would need a NAT gateway to reach public, signed endpoints"),
    "CKV_AWS_120": (r"\w+Stage", "responses with tokens and translations must not be cached"),
    "CKV_AWS_173": (r"\w+Function", "the environment holds names and no secrets"),
}


class CheckFailed(Exception):
    """A check rejected the template."""


def command(tool, *arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.returncode, done.stdout + done.stderr


def sam_validate(tools, template):
    code, output = command(tools / "sam/bin/sam", "validate", "--lint", "--template-file", template)
    if code:
        raise CheckFailed(output)


def transformed(template):
    """Returns the transformed template, with a placeholder S3 URI for each function's code."""
    parsed = yaml_parse(template.read_text())
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://code-of-the-functions/code.zip"
    defaults = {name: parameter["Default"] for name, parameter in parsed["Parameters"].items()}

    class NoManagedPolicies:
        def load(self):
            return {}

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # It prints the missing feature flags.
            return transform(parsed, defaults, NoManagedPolicies())
    except Exception as error:
        raise CheckFailed(f"{type(error).__name__}: {error}") from error


def cfn_lint(tools, template):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(transformed(template), file)
        file.flush()
        # W1028: SAM repeats a resource's condition inside the resource, where it is always true.
        code, output = command(tools / "sam/bin/cfn-lint", "--ignore-checks", "W1028", "--", file.name)
    if code:
        raise CheckFailed(output)


def checkov(tools, template):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "transformed.json")
        file.write_text(json.dumps(transformed(template), indent=1))
        _, output = command(
            tools / "checkov/bin/checkov",
            *("--file", file, "--framework", "cloudformation", "--skip-download", "--quiet", "--output", "json"),
        )
    try:
        report = json.loads(output[output.index("{") : output.rindex("}") + 1])
        results, passed = report["results"], report["summary"]["passed"]
        if report["summary"]["parsing_errors"] or not passed:
            raise ValueError("checkov checked nothing")
    except (ValueError, KeyError) as error:
        raise CheckFailed(f"{error}: {output}") from error
    unused = dict(EXCEPTIONS)
    failures = []
    for failure in results["failed_checks"]:
        code, resource = failure["check_id"], failure["resource"].split(".")[-1]
        pattern, _ = EXCEPTIONS.get(code, ("", ""))
        if re.fullmatch(pattern, resource):
            unused.pop(code, None)
        else:
            failures.append(f"{code} {resource}: {failure['check_name']}")
    failures += [f"{code}: no resource needs this exception; remove it" for code in unused]
    if failures:
        raise CheckFailed("\n".join(failures))


CHECKS = [sam_validate, cfn_lint, checkov]

# The check that must fail, the text to replace, its replacement, and a word of the message.
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
    options.add_argument("--tools", type=Path, required=True, help="folder with the tools' virtual environments")
    tools = options.parse_args().tools.resolve()
    template = ROOT / "template.yaml"
    for check in CHECKS:
        check(tools, template)
        print(f"ok      {check.__name__}")
    for check, right, wrong, word in BROKEN:
        text = template.read_text()
        if right not in text:
            sys.exit(f"FAILED  {right!r} is no longer in the template; choose another text in BROKEN")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as broken:
            broken.write(text.replace(right, wrong, 1))
            broken.flush()
            try:
                check(tools, Path(broken.name))
            except CheckFailed as failure:
                # The message must concern the change. A check that cannot run fails as well.
                if word.lower() not in str(failure).lower():
                    sys.exit(f"FAILED  {check.__name__} rejects {wrong!r} for another reason:\n{failure}")
                print(f"rejected {check.__name__}: {wrong.strip()}")
            else:
                sys.exit(f"FAILED  {check.__name__} accepts {wrong!r}")
    print(f"{len(CHECKS) + len(BROKEN)} passed, 0 failed")


if __name__ == "__main__":
    try:
        main()
    except CheckFailed as failure:
        sys.exit(f"FAILED  {failure}")
