"""The first version of the step-up client: it says everything in its assertion."""

import json
import sys

from hawcx_oauth_client.stepup import StepUpClient
from hawcx_oauth_client.stepup.exceptions import StepUpRequestError

told = json.loads(sys.argv[1])
client = StepUpClient(
    client_id=told["client_id"],
    signing_key_pem=told["es256_key_pem"],
    base_url=told["base_url"],
    tenant_id=told["config_id"],
)
try:
    if "receipt" in told:
        said = client.consume_receipt(user_id=told["user_id"], receipt=told["receipt"])
    else:
        said = client.start_token(user_id=told["user_id"], **told["start"])
except StepUpRequestError as problem:
    said = {"status": problem.status_code, "body": problem.response_body}
print(json.dumps(said))
