"""A later version of the step-up client, by whichever key it is told."""

import json
import sys
import warnings

from hawcx_oauth_client import StepUpClient
from hawcx_oauth_client.delegation.exceptions import DelegationRequestError

warnings.simplefilter("ignore")
told = json.loads(sys.argv[1])
if "credential" in told:
    client = StepUpClient.from_secret_key(
        secret_key=told["credential"], base_url=told["base_url"], tenant_header_value=told["config_id"]
    )
else:
    client = StepUpClient.with_private_key_jwt(
        oidc_signing_key=told["signing_key_pem"],
        kid=told["kid"],
        client_id=told["client_id"],
        base_url=told["base_url"],
        config_id=told["config_id"],
    )
try:
    if "receipt" in told:
        said = {"ok": client.consume_receipt(receipt=told["receipt"]).ok}
    elif "start" in told:
        started = client.start_token(user_id=told["user_id"], **told["start"])
        said = {"start_token": started.start_token, "expires_in": started.expires_in}
    else:
        said = [client.management_request(endpoint=path, payload=body) for path, body in told["calls"]]
except DelegationRequestError as problem:
    said = {"status": problem.status_code, "said": str(problem)}
print(json.dumps(said))
